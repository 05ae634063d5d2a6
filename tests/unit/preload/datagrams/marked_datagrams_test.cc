// SPDX-License-Identifier: MIT
#include "tests/unit/preload/datagrams/datagrams_fixture.h"

namespace px::shim {
namespace {

// A next hop of its own, as the broker's mark on the socket.
class MarkedDatagramsTest : public DatagramsTest {
 protected:
  MarkedDatagramsTest() {
    broker_.plan.mark_mask = 0xff000000;
    broker_.on_mark = [this](std::uint32_t mark) {
      asked_.push_back(mark >> 24);
      if (allowed_) kernel_.mark = mark;
      return allowed_;
    };
    first_.mark = 0x01000000;
    second_.mark = 0x02000000;
  }
  plan::Entry first_ = kVpn;
  plan::Entry second_ = kVpn;
  std::vector<std::uint32_t> asked_;
  bool allowed_ = true;
};

TEST_F(MarkedDatagramsTest, TheSocketIsMarkedForItsNextHopOnce) {
  broker_.plan.publish_via(first_);
  fresh();
  EXPECT_EQ(egress(kPeer), "10.2.0.2%3");
  EXPECT_EQ(egress(kPeer), "10.2.0.2%3");
  EXPECT_THAT(asked_, testing::ElementsAre(1));
  broker_.plan.publish_via(second_);
  EXPECT_EQ(egress(kPeer), "10.2.0.2%3");
  EXPECT_THAT(asked_, testing::ElementsAre(1, 2));
}

TEST_F(MarkedDatagramsTest, WithoutTheMarkNothingLeaves) {
  broker_.plan.publish_via(first_);
  allowed_ = false;
  fresh();
  EXPECT_EQ(egress(kPeer), "ENETUNREACH");
}

TEST_F(MarkedDatagramsTest, TheMarkIsTakenAwayForEveryOtherEgress) {
  fresh();
  broker_.plan.publish_via(first_);
  EXPECT_EQ(egress(kPeer), "10.2.0.2%3");
  broker_.plan.publish_via(kVpn);
  EXPECT_EQ(egress(kPeer), "10.2.0.2%3");
  EXPECT_EQ(kernel_.mark, 0u);
  broker_.plan.publish_via(first_);
  EXPECT_EQ(egress(kPeer), "10.2.0.2%3");
  broker_.plan.publish_system();
  EXPECT_EQ(egress(kPeer), "as it is");
  EXPECT_EQ(kernel_.mark, 0u);
}

TEST_F(MarkedDatagramsTest, AMarkThatStaysLetsNothingLeaveUnsteered) {
  fresh();
  broker_.plan.publish_via(first_);
  EXPECT_EQ(egress(kPeer), "10.2.0.2%3");
  broker_.plan.publish_system();
  allowed_ = false;
  EXPECT_EQ(egress(kPeer), "ENETUNREACH");
}

TEST_F(MarkedDatagramsTest, AnIpv6SourceGoesWithTheNextHop) {
  plan::Entry marked = kVpn6;
  marked.mark = 0x01000000;
  broker_.plan.publish_via(marked);
  fresh(AF_INET6);
  EXPECT_EQ(egress(kPeer6), "fd02::2%3");
}

TEST_F(MarkedDatagramsTest, AnUnknownSocketWithPxsMarkIsNoChoiceOfTheProgram) {
  broker_.plan.publish_via(kVpn);
  fresh();
  EXPECT_EQ(egress(kPeer), "10.2.0.2%3");  // the plan is known
  fds_->forget(kFd);
  kernel_.mark = 0x01000000;
  EXPECT_EQ(egress(kPeer), "10.2.0.2%3");
  EXPECT_EQ(kernel_.mark, 0u);
  kernel_.mark = 0x17;
  EXPECT_EQ(egress(kPeer), "as it is");
}

// For IPv6, naming source and interface is not enough.
TEST_F(MarkedDatagramsTest, AServersAnswersHaveTheListeningMark) {
  for (const auto mode :
       {plan::ListenMode::kReceivedInterface, plan::ListenMode::kReceivedSource}) {
    kernel_.mark = 0;
    allowed_ = true;
    broker_.plan.listen_mark = 0x05000000;
    broker_.plan.publish_listen(mode, kVpn6);
    called(kPeer6, {.address = address("fd02::2"), .interface = 3});
    EXPECT_EQ(egress(kPeer6), "fd02::2%3");
    EXPECT_EQ(kernel_.mark, 0x05000000u);
    kernel_.mark = 0;
    allowed_ = false;
    EXPECT_EQ(egress(kPeer6), "ENETUNREACH");
  }
}

}  // namespace
}  // namespace px::shim
