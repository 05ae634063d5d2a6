// SPDX-License-Identifier: MIT
#include "preload/streams/listening.h"

#include "tests/unit/preload/streams/connector_fixture.h"

namespace px::shim {
namespace {

using testing::Contains;
using testing::Not;

constexpr std::uint32_t kListenMark = 0x05000000;
constexpr char kMarked[] = "mark 83886080";

class ListeningTest : public ConnectorTest {
 protected:
  ListeningTest() {
    broker_.plan.mark_mask = 0xff000000;
    broker_.plan.listen_mark = kListenMark;
    broker_.plan.publish_without_rules();
    kernel_.bound = {.address = bundle::ipv4_address(0), .port = 80};
  }

  // 0 when the program's call is to be made, else its errno.
  int prepare() {
    errno = 4711;
    if (prepare_listen(kFakeCalls, shim_.plan, shim_.session, marker_, given_, kFd)) {
      EXPECT_EQ(errno, 4711);
      return 0;
    }
    return errno;
  }
};

TEST_F(ListeningTest, AServersSocketIsMarked) {
  EXPECT_EQ(prepare(), 0);
  EXPECT_EQ(kernel_.mark, kListenMark);
  EXPECT_EQ(broker_.hellos(), 1);
}

TEST_F(ListeningTest, AlsoWhereTheProgramChoseItsAddress) {
  kernel_.bound.address = address("10.2.0.2");
  EXPECT_EQ(prepare(), 0);
  EXPECT_EQ(kernel_.mark, kListenMark);
}

TEST_F(ListeningTest, AProgramThatLosesItsProfileAtThatCallHasNoMark) {
  EXPECT_TRUE(shim_.session.ensure_session());
  broker_.move();
  broker_.outcome = HelloOutcome::kNoProfile;
  EXPECT_EQ(prepare(), 0);
  EXPECT_TRUE(shim_.plan.is_retired());
  EXPECT_EQ(kernel_.mark, 0u);
}

TEST_F(ListeningTest, NothingIsAskedInTheSystemsMode) {
  broker_.plan.listen_mark = 0;
  broker_.plan.publish_without_rules();
  EXPECT_TRUE(shim_.session.ensure_session());  // and so has a plan
  EXPECT_EQ(prepare(), 0);
  EXPECT_TRUE(take_calls().empty());
}

TEST_F(ListeningTest, NobodyOutsideCallsALoopbackSocket) {
  kernel_.bound.address = address("127.0.0.1");
  EXPECT_EQ(prepare(), 0);
  EXPECT_THAT(take_calls(), Not(Contains(kMarked)));
}

TEST_F(ListeningTest, OtherSocketsAreLeftAlone) {
  kernel_.domain = AF_UNIX;
  EXPECT_EQ(prepare(), 0);
  kernel_.domain = AF_INET;
  kernel_.type = SOCK_DGRAM;
  EXPECT_EQ(prepare(), 0);
  EXPECT_THAT(take_calls(), Not(Contains(kMarked)));
}

TEST_F(ListeningTest, TheProgramsOwnDeviceOrMarkStays) {
  kernel_.device = "vpn0";
  EXPECT_EQ(prepare(), 0);
  kernel_.device.clear();
  kernel_.mark = 0x17;
  EXPECT_EQ(prepare(), 0);
  EXPECT_THAT(take_calls(), Not(Contains(kMarked)));
}

// Without a `listen` in the profile.
class GivenSourceTest : public ListeningTest {
 protected:
  GivenSourceTest() {
    broker_.plan.listen_mark = 0;
    via(kVpn);
    kernel_.bound = {.address = kVpn.source, .port = 80};
    given_.remember(kVpn.source, 0);
  }
  void via(const plan::Entry& entry) {
    broker_.plan.publish_via(entry);
    EXPECT_TRUE(shim_.session.ensure_session());
  }
};

TEST_F(GivenSourceTest, ASocketIsCalledAndAnswersByTheEntryOfItsSource) {
  EXPECT_EQ(prepare(), 0);
  EXPECT_EQ(kernel_.device, "vpn0");
  EXPECT_EQ(kernel_.mark, 0u);
}

TEST_F(GivenSourceTest, AndByItsNextHop) {
  plan::Entry marked = kVpn;
  marked.mark = 0x07000000;
  via(marked);
  given_.remember(kVpn.source, marked.mark);
  EXPECT_EQ(prepare(), 0);
  EXPECT_EQ(kernel_.device, "vpn0");
  EXPECT_EQ(kernel_.mark, 0x07000000u);
}

TEST_F(GivenSourceTest, OtherSocketsAreLeftAlone) {
  kernel_.bound.address = kLte.source;
  EXPECT_EQ(prepare(), 0) << "a source that px did not give";
  kernel_.bound.address = bundle::ipv4_address(0);
  EXPECT_EQ(prepare(), 0) << "no source";
  kernel_.bound.address = kVpn.source;
  via(kLte);
  EXPECT_EQ(prepare(), 0) << "a source of no entry any more";
  EXPECT_EQ(kernel_.device, "");
}

TEST_F(GivenSourceTest, ADeviceThatCannotBeHadFailsClosed) {
  kernel_.errors["device vpn0"] = {ENODEV};
  EXPECT_EQ(prepare(), ENETUNREACH);
}

TEST_F(ListeningTest, TwiceIsAskedOnce) {
  EXPECT_EQ(prepare(), 0);
  (void)take_calls();
  EXPECT_EQ(prepare(), 0);
  EXPECT_THAT(take_calls(), Not(Contains(kMarked)));
}

TEST_F(ListeningTest, WithoutItsMarkAServerDoesNotListen) {
  kernel_.errors[kMarked] = {EPERM};
  EXPECT_EQ(prepare(), ENETUNREACH);
}

TEST_F(ListeningTest, WithoutAWelcomeAServerDoesNotListen) {
  broker_.outcome = HelloOutcome::kNoAnswer;
  EXPECT_EQ(prepare(), ENETUNREACH);
  EXPECT_THAT(take_calls(), Not(Contains(kMarked)));
}

}  // namespace
}  // namespace px::shim
