// SPDX-License-Identifier: MIT
// Next hops by rule (PX-2): the mark that the connector has the broker set.
#include "tests/unit/preload/streams/connector_fixture.h"

namespace px::shim {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Not;

constexpr std::uint32_t kMask = 0xff000000;

plan::Entry through_router(plan::Entry entry, std::uint32_t number) {
  entry.mark = number << 24;
  return entry;
}

const plan::Entry kFirst = through_router(kVpn, 1);
const plan::Entry kSecond = through_router(kVpn, 2);
constexpr char kMark0[] = "mark 0";
constexpr char kMark1[] = "mark 16777216";
constexpr char kMark2[] = "mark 33554432";

class NextHopTest : public ConnectorTest {
 protected:
  NextHopTest() { broker_.plan.mark_mask = kMask; }
};

TEST_F(NextHopTest, AFreshSocketIsMarkedLast) {
  broker_.plan.publish_via(kFirst);
  fresh();
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  EXPECT_THAT(take_calls(), ElementsAre("no port", "bind 10.2.0.2:0", "device vpn0", kMark1));
  EXPECT_EQ(broker_.counters().routed, 1u);
}

TEST_F(NextHopTest, NobodyIsAskedAboutAnEntryWithoutAMark) {
  broker_.plan.publish_via(kVpn);
  fresh();
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  EXPECT_THAT(take_calls(), ElementsAre("no port", "bind 10.2.0.2:0", "device vpn0"));
}

TEST_F(NextHopTest, WithoutTheBrokersMarkNothingLeaves) {
  broker_.plan.publish_via(kFirst);
  kernel_.errors[kMark1] = {EPERM};
  fresh();
  shim_.capture_stderr();
  EXPECT_EQ(prepare("198.51.100.1"), ENETUNREACH);
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "px: test: a next hop needs the broker at /nowhere/px.sock: not yours\n");
  EXPECT_EQ(broker_.counters().unavailable, 1u);
}

TEST_F(NextHopTest, AFailedMarkIsAskedForAgain) {
  broker_.plan.publish_via(kFirst);
  kernel_.errors[kMark1] = {EPERM, 0};
  fresh();
  EXPECT_EQ(prepare("198.51.100.1"), ENETUNREACH);
  kernel_.mark = 0;
  (void)take_calls();
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  EXPECT_THAT(take_calls(), Contains(kMark1));
}

TEST_F(NextHopTest, TheSameNextHopAgainAsksNobody) {
  broker_.plan.publish_via(kFirst);
  fresh();
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  (void)take_calls();
  EXPECT_EQ(prepare("198.51.100.2"), 0);
  EXPECT_THAT(take_calls(), ElementsAre("device?"));
}

// The source lives on another interface, where the answers may come in.
TEST_F(NextHopTest, AnotherInterfacesSourceTakesTheMarkAndNoDevice) {
  plan::Entry crossed = kFirst;
  crossed.flags |= plan::kEntryNoDevice;
  broker_.plan.publish_via(crossed);
  fresh();
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  EXPECT_THAT(take_calls(), ElementsAre("no port", "bind 10.2.0.2:0", kMark1));
  EXPECT_EQ(prepare("198.51.100.2"), 0);
  EXPECT_THAT(take_calls(), ElementsAre("device?"));
}

TEST_F(NextHopTest, AStreamThatIsClosedTakesAnotherRouterOfItsInterface) {
  broker_.plan.publish_via(kFirst);
  fresh();
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  broker_.plan.publish_via(kSecond);
  (void)take_calls();
  EXPECT_EQ(prepare("198.51.100.2"), 0);
  EXPECT_THAT(take_calls(), Contains(kMark2));
}

TEST_F(NextHopTest, AConnectedStreamKeepsItsRouter) {
  broker_.plan.publish_via(kFirst);
  fresh();
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  broker_.plan.publish_via(kSecond);
  kernel_.tcp_state = TCP_ESTABLISHED;
  (void)take_calls();
  EXPECT_EQ(prepare("198.51.100.2"), 0);
  EXPECT_THAT(take_calls(), Not(Contains(kMark2)));
}

TEST_F(NextHopTest, AnUnsteeredSocketLosesItsMark) {
  for (const int type : {SOCK_STREAM, SOCK_DGRAM}) {
    broker_.plan.publish_via(kFirst);
    kernel_.mark = 0;
    kernel_.device.clear();
    fresh(AF_INET, type);
    EXPECT_EQ(prepare("198.51.100.1"), 0);
    broker_.plan.publish_system();
    (void)take_calls();
    EXPECT_EQ(prepare("198.51.100.2"), 0);
    EXPECT_THAT(take_calls(), Contains(kMark0));
    EXPECT_EQ(kernel_.mark, 0u);
  }
}

TEST_F(NextHopTest, AMarkThatStaysLetsNothingLeaveUnsteered) {
  for (const int type : {SOCK_STREAM, SOCK_DGRAM}) {
    broker_.plan.publish_via(kFirst);
    kernel_.mark = 0;
    kernel_.device.clear();
    fresh(AF_INET, type);
    EXPECT_EQ(prepare("198.51.100.1"), 0);
    broker_.plan.publish_system();
    kernel_.errors[kMark0] = {EPERM};
    EXPECT_EQ(prepare("198.51.100.2"), ENETUNREACH);
  }
}

TEST_F(NextHopTest, ADatagramSocketLosesItsMarkWithoutANextHopOfItsOwn) {
  broker_.plan.publish_via(kFirst);
  fresh(AF_INET, SOCK_DGRAM);
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  broker_.plan.publish_via(kVpn);
  (void)take_calls();
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  EXPECT_THAT(take_calls(), Contains(kMark0));
}

// An unconnected socket sends through routers without being connected by px.
TEST_F(NextHopTest, AMarkOfDatagramsIsGoneWhenTheirSocketConnectsElsewhere) {
  for (const bool by_rule : {true, false}) {
    by_rule ? broker_.plan.publish_via(kVpn) : broker_.plan.publish_system();
    fresh(AF_INET, SOCK_DGRAM);
    EXPECT_TRUE(shim_.session.ensure_session());
    kernel_.mark = kFirst.mark;
    EXPECT_EQ(prepare("198.51.100.1"), 0);
    EXPECT_EQ(kernel_.mark, 0u);
  }
}

TEST_F(NextHopTest, ABrokerThatDoesNotAnswerIsNotAskedForEachCall) {
  broker_.plan.publish_via(kFirst);
  broker_.answers_marks = false;
  fresh();
  EXPECT_EQ(prepare("198.51.100.1"), ENETUNREACH);
  kernel_.mark = 0;
  EXPECT_EQ(prepare("198.51.100.1"), ENETUNREACH);
  EXPECT_THAT(take_calls(), testing::Contains(kMark1).Times(1));
}

}  // namespace
}  // namespace px::shim
