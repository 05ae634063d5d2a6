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
  EXPECT_THAT(take_calls(), IsEmpty());
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
  EXPECT_EQ(fds_->get(kFd).kind, FdKind::kFresh);
}

TEST_F(ConnectorTest, AProfileWithoutRulesLetsGoOfWhatAnotherChose) {
  broker_.plan.publish_via(kVpn);
  fresh(AF_INET, SOCK_DGRAM);
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  broker_.plan.publish_without_rules();
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  EXPECT_EQ(fds_->get(kFd).kind, FdKind::kFresh);
  EXPECT_EQ(kernel_.device, "");
}

}  // namespace
}  // namespace px::shim
