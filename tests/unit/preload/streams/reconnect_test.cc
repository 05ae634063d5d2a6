// SPDX-License-Identifier: MIT
// A socket that px has decided, connected once more.
#include "tests/unit/preload/streams/connector_fixture.h"

namespace px::shim {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

using ReconnectTest = ConnectorTest;

TEST_F(ReconnectTest, ASecondConnectByTheSameEgressIsJustThat) {
  broker_.plan.publish_via(kVpn);
  fresh();
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  (void)take_calls();
  EXPECT_EQ(prepare("198.51.100.2"), 0);
  EXPECT_THAT(take_calls(), ElementsAre("device?"));
  broker_.plan.publish_block();
  EXPECT_EQ(prepare("198.51.100.2"), EACCES);
  EXPECT_THAT(take_calls(), IsEmpty());
}

TEST_F(ReconnectTest, AnUnsteeredConnectDoesNotLeaveByTheDeviceOfBefore) {
  broker_.plan.publish_via(kVpn);
  fresh();
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  broker_.plan.publish_system();
  kernel_.errors["device "] = {EPERM};
  EXPECT_EQ(prepare("198.51.100.2"), ENETUNREACH);
  fresh(AF_INET, SOCK_DGRAM);
  broker_.plan.publish_via(kVpn);
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  broker_.plan.publish_system();
  (void)take_calls();
  EXPECT_EQ(prepare("198.51.100.2"), 0);
  EXPECT_THAT(take_calls(), ElementsAre("connect nothing", "bind 0.0.0.0:0"));
}

TEST_F(ReconnectTest, ASecondConnectByAnotherEgressNeverLeaks) {
  for (const plan::Entry& other : {kLte, entry(3, "vpn0", "10.2.0.3")}) {
    broker_.plan.publish_via(kVpn);
    fresh();
    EXPECT_EQ(prepare("198.51.100.1"), 0);
    broker_.plan.publish_via(other);
    kernel_.tcp_state = TCP_SYN_SENT;
    EXPECT_EQ(prepare("198.51.100.1"), 0) << "the kernel says EALREADY";
    kernel_.tcp_state = TCP_CLOSE;
    EXPECT_EQ(prepare("198.51.100.1"), ENETUNREACH);
  }
}

TEST_F(ReconnectTest, ADatagramSocketFollowsAnotherVerdict) {
  broker_.plan.publish_via(kVpn);
  fresh(AF_INET, SOCK_DGRAM);
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  broker_.plan.publish_via(entry(2, "lte0", "10.1.0.2"));
  (void)take_calls();
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  EXPECT_THAT(take_calls(), ElementsAre("device?", "connect nothing", "bind 0.0.0.0:0", "no port",
                                        "bind 10.1.0.2:0", "device lte0"));
  broker_.plan.publish_via(kVpn);
  kernel_.errors["bind 0.0.0.0:0"] = {EINVAL};
  EXPECT_EQ(prepare("198.51.100.1"), ENETUNREACH);
}

// connect(AF_UNSPEC), by the program or by whoever shares the socket, takes the device away.
TEST_F(ReconnectTest, ADatagramSocketThatLostItsDeviceGetsItAgain) {
  broker_.plan.publish_via(kVpn);
  fresh(AF_INET, SOCK_DGRAM);
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  kernel_.device.clear();
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  EXPECT_EQ(kernel_.device, "vpn0");
}

// A socket that libc made behind the hooks, under the number of one that px had decided.
TEST_F(ReconnectTest, AnotherSocketUnderADecidedNumberIsDecidedAnew) {
  broker_.plan.publish_via(kVpn);
  fresh();
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  kernel_.device.clear();
  (void)take_calls();
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  EXPECT_THAT(take_calls(), ElementsAre("device?", "state?", "device?", "name?", "no port",
                                        "bind 10.2.0.2:0", "device vpn0"));
}

TEST_F(ReconnectTest, LoopbackIsNeverReachedThroughADevice) {
  broker_.plan.publish_via(kVpn);
  fresh(AF_INET, SOCK_DGRAM);
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  (void)take_calls();
  EXPECT_EQ(prepare("127.0.0.1"), 0);
  EXPECT_THAT(take_calls(), ElementsAre("connect nothing", "bind 0.0.0.0:0"));
  EXPECT_EQ(prepare("127.0.0.1"), 0);
  EXPECT_THAT(take_calls(), ElementsAre("connect nothing", "bind 0.0.0.0:0"))
      << "the kernel keeps the source of a destination of before";
  fresh();
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  (void)take_calls();
  kernel_.errors["device "] = {EPERM};
  EXPECT_EQ(prepare("127.0.0.1"), ENETUNREACH);
  EXPECT_EQ(prepare("127.0.0.1"), 0);
  EXPECT_THAT(take_calls(), ElementsAre("state?", "device ", "state?", "device "));
}

TEST_F(ReconnectTest, AConnectedStreamsLoopbackIsTheKernelsToRefuse) {
  broker_.plan.publish_via(kVpn);
  fresh();
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  (void)take_calls();
  kernel_.tcp_state = TCP_ESTABLISHED;
  EXPECT_EQ(prepare("127.0.0.1"), 0);
  EXPECT_THAT(take_calls(), ElementsAre("state?"));
}

// It has lost its device with its peer; the source must not stay without it.
TEST_F(ConnectorTest, ADatagramSocketThatIsDissolvedIsWhatItWas) {
  broker_.plan.publish_via(kVpn);
  fresh(AF_INET, SOCK_DGRAM);
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  (void)take_calls();
  connector_.dissolved(kFd);
  EXPECT_THAT(take_calls(), testing::ElementsAre("connect nothing", "bind 0.0.0.0:0"));
  EXPECT_EQ(fds_->get(kFd).kind, FdKind::kReleased);
}

// Once px has bound a source, the kernel keeps the next one, its own choice, for good.
TEST_F(ReconnectTest, TheSourceOfAnUnsteeredDestinationIsNotTheProgramsChoice) {
  broker_.plan.publish_via(kVpn);
  fresh(AF_INET, SOCK_DGRAM);
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  broker_.plan.publish_system();
  EXPECT_EQ(prepare("198.51.100.2"), 0);
  kernel_.connected = true;
  broker_.plan.publish_via(kVpn);
  (void)take_calls();
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  EXPECT_THAT(take_calls(),
              ElementsAre("connect nothing", "no port", "bind 10.2.0.2:0", "device vpn0"));
}

// The same where nothing is remembered: another program had the socket before.
TEST_F(ReconnectTest, ASourceThatIsLeftOfAnInheritedSocketIsPxs) {
  broker_.plan.publish_via(kVpn);
  kernel_.type = SOCK_DGRAM;
  kernel_.protocol = IPPROTO_UDP;
  kernel_.connected = true;
  kernel_.bound = {.address = address("192.0.2.1"), .port = 4711};
  kernel_.no_port = true;
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  EXPECT_THAT(take_calls(), ElementsAre("device?", "name?", "connect nothing", "no port",
                                        "bind 10.2.0.2:0", "device vpn0"));
}

// A source that the program bound is no more px's for having been looked at by px.
TEST_F(ReconnectTest, AnInheritedSocketsOwnSourceStaysItsOwn) {
  broker_.plan.publish_via(kVpn);
  kernel_.type = SOCK_DGRAM;
  kernel_.protocol = IPPROTO_UDP;
  kernel_.connected = true;
  kernel_.bound = {.address = address("192.0.2.1"), .port = 4711};
  kernel_.errors["bind 10.2.0.2:0"] = {EINVAL};
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  EXPECT_EQ(kernel_.device, "");
  EXPECT_FALSE(kernel_.no_port);
}

TEST_F(ReconnectTest, APortThatWasBoundStaysBoundWhenThePeerIsUnsteered) {
  const auto kernels = entry(3, "vpn0", "10.2.0.2", plan::kEntryUsable | plan::kEntryKernelSource);
  broker_.plan.publish_via(kernels);
  fresh(AF_INET, SOCK_DGRAM);
  fds_->set(kFd,
            {.kind = FdKind::kPortBound, .datagram = true, .transport = plan::Transport::kUdp});
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  broker_.plan.publish_system();
  (void)take_calls();
  EXPECT_EQ(prepare("198.51.100.2"), 0);
  EXPECT_THAT(take_calls(), ElementsAre("connect nothing"));
  kernel_.connected = true;
  broker_.plan.publish_via(kernels);
  (void)take_calls();
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  EXPECT_THAT(take_calls(), ElementsAre("connect nothing", "device vpn0"));
}

TEST_F(ConnectorTest, AProfileWithoutRulesLetsGoOfWhatAnotherChose) {
  broker_.plan.publish_via(kVpn);
  fresh(AF_INET, SOCK_DGRAM);
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  broker_.plan.publish_without_rules();
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  EXPECT_EQ(fds_->get(kFd).kind, FdKind::kReleased);
  EXPECT_EQ(kernel_.device, "");
}

}  // namespace
}  // namespace px::shim
