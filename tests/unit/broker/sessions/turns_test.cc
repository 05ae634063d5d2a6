// SPDX-License-Identifier: MIT
#include "broker/sessions/turns.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <string>
#include <vector>

namespace px::broker {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using Kind = Turns::Kind;

constexpr uid_t kAnna = 1000;
constexpr uid_t kBert = 1001;
constexpr uid_t kCarl = 1002;

class TurnsTest : public testing::Test {
 protected:
  // A turn that takes this long.
  void add(Kind kind, uid_t user, const std::string& name, std::chrono::microseconds takes = 10us) {
    turns.add(kind, user, [this, name, takes] {
      done.push_back(name);
      now += takes;
    });
  }
  // The next one, once it is due.
  std::vector<std::string> slice() {
    now = std::max(now, turns.due().value_or(now));
    done.clear();
    turns.run_slice();
    return done;
  }

  std::chrono::steady_clock::time_point now;
  Turns turns{[this] { return now; }};
  std::vector<std::string> done;
};

TEST_F(TurnsTest, ProgramsComeBeforeRequestsWhoeverCameFirst) {
  add(Kind::kRequest, kAnna, "doctor");
  add(Kind::kRequest, kAnna, "ps");
  add(Kind::kProgram, kBert, "hello");
  EXPECT_THAT(slice(), ElementsAre("hello", "doctor"));
  EXPECT_THAT(slice(), ElementsAre("ps"));
  EXPECT_EQ(turns.due(), std::nullopt);
  EXPECT_THAT(slice(), ElementsAre());
}

TEST_F(TurnsTest, UsersTakeTurns) {
  for (const char* name : {"a1", "a2", "a3"}) add(Kind::kProgram, kAnna, name);
  add(Kind::kProgram, kBert, "b1");
  add(Kind::kProgram, kCarl, "c1");
  add(Kind::kProgram, kBert, "b2");
  EXPECT_THAT(slice(), ElementsAre("a1", "b1", "c1", "a2", "b2", "a3"));
}

TEST_F(TurnsTest, RequestsOfAThousandConnectionsDelayAnothersByOne) {
  for (int i = 0; i < 1000; ++i) add(Kind::kRequest, kAnna, "flood", 20ms);
  EXPECT_THAT(slice(), ElementsAre("flood"));
  add(Kind::kRequest, kBert, "status");
  EXPECT_THAT(slice(), ElementsAre("flood"));
  EXPECT_THAT(slice(), ElementsAre("status"));
}

TEST_F(TurnsTest, AHelloWaitsForOneRequestAtMost) {
  for (int i = 0; i < 1000; ++i) add(Kind::kRequest, kAnna, "flood", 20ms);
  EXPECT_THAT(slice(), ElementsAre("flood"));
  const auto since = now;
  add(Kind::kProgram, kBert, "hello");
  EXPECT_THAT(slice(), ElementsAre("hello"));
  EXPECT_LE(now - since, 20ms);
}

TEST_F(TurnsTest, AFloodOfHellosIsCutIntoSlicesAndLeavesRoomForRequests) {
  for (int i = 0; i < 100; ++i) add(Kind::kProgram, kAnna, "hello", 500us);
  add(Kind::kRequest, kBert, "status");
  EXPECT_THAT(slice(), ElementsAre("hello", "hello", "hello", "hello", "status"));
  add(Kind::kProgram, kBert, "another's");
  EXPECT_THAT(slice(), ElementsAre("hello", "another's", "hello", "hello", "hello"));
}

TEST_F(TurnsTest, RequestsTakeAQuarterOfTheTimeAndProgramsWhatTheyNeed) {
  for (int i = 0; i < 2; ++i) add(Kind::kRequest, kAnna, "flood", 1ms);
  EXPECT_THAT(slice(), ElementsAre("flood"));
  EXPECT_EQ(turns.due(), now + 3ms);
  add(Kind::kProgram, kBert, "hello");
  EXPECT_LE(turns.due(), now);
  EXPECT_THAT(slice(), ElementsAre("hello"));
  EXPECT_THAT(slice(), ElementsAre("flood"));
}

TEST_F(TurnsTest, ADearRequestDelaysTheNextByNoMoreThanTheLongestRest) {
  for (int i = 0; i < 2; ++i) add(Kind::kRequest, kAnna, "reload", 5s);
  EXPECT_THAT(slice(), ElementsAre("reload"));
  EXPECT_EQ(turns.due(), now + Turns::kLongestRest);
}

TEST_F(TurnsTest, ATurnMayAddTheNext) {
  turns.add(Kind::kProgram, kAnna, [&] { add(Kind::kProgram, kAnna, "again"); });
  EXPECT_THAT(slice(), ElementsAre("again"));
}

}  // namespace
}  // namespace px::broker
