// SPDX-License-Identifier: MIT
#include "tests/unit/preload/streams/connector_fixture.h"

namespace px::shim {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(ConnectorTest, SendsAFreshSocketViaTheEntry) {
  broker_.plan.publish_via(kVpn);
  fresh();
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  EXPECT_THAT(take_calls(), ElementsAre("no port", "bind 10.2.0.2:0", "device vpn0"));
  EXPECT_EQ(broker_.counters().routed, 1u);
  EXPECT_EQ(fds_->get(kFd).kind, FdKind::kDecided);
}

TEST_F(ConnectorTest, AsksNobodyWithoutRules) {
  broker_.plan.publish_via(kVpn);
  fresh();
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  broker_.plan.publish_without_rules();
  fds_->forget(kFd);
  (void)take_calls();
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  EXPECT_THAT(take_calls(), IsEmpty());
}

TEST_F(ConnectorTest, LeavesLoopbackAloneWithoutAPlanOrHello) {
  fds_->forget(kFd);
  for (const char* destination : {"127.0.0.1", "127.9.9.9", "0.0.0.0"}) {
    EXPECT_EQ(prepare(destination), 0) << destination;
    EXPECT_EQ(prepare(destination, AF_INET6), 0) << destination;
  }
  EXPECT_EQ(prepare("::1", AF_INET6), 0);
  EXPECT_EQ(prepare("::", AF_INET6), 0);
  EXPECT_THAT(take_calls(), IsEmpty());
  EXPECT_EQ(broker_.hellos(), 0);
}

TEST_F(ConnectorTest, LeavesOtherAddressesAlone) {
  broker_.plan.publish_block();
  fresh();
  sockaddr_in in{};
  in.sin_family = AF_INET;
  in.sin_addr.s_addr = htonl(0xc6336401);
  const auto* address = reinterpret_cast<const sockaddr*>(&in);
  EXPECT_TRUE(connector_.prepare(kFd, read_call_address(nullptr, sizeof in), By::kConnect));
  EXPECT_TRUE(connector_.prepare(kFd, read_call_address(address, sizeof in - 1), By::kConnect));
  in.sin_family = AF_UNSPEC;
  EXPECT_TRUE(connector_.prepare(kFd, read_call_address(address, sizeof in), By::kConnect));
  in.sin_family = AF_INET;
  EXPECT_FALSE(connector_.prepare(kFd, read_call_address(address, sizeof in), By::kConnect));
}

TEST_F(ConnectorTest, LeavesTheProgramsOwnSocketsAlone) {
  broker_.plan.publish_block();
  for (const FdKind kind : {FdKind::kOwned, FdKind::kForeign}) {
    fds_->set(kFd, {.kind = kind});
    EXPECT_EQ(prepare("198.51.100.1"), 0);
  }
  EXPECT_THAT(take_calls(), IsEmpty());
}

TEST_F(ConnectorTest, RefusesAndFails) {
  fresh();
  broker_.plan.publish_block();
  EXPECT_EQ(prepare("198.51.100.1"), EACCES);
  broker_.plan.publish_via(entry(3, "vpn0", "10.2.0.2", 0));
  EXPECT_EQ(prepare("198.51.100.1"), ENETUNREACH);
  EXPECT_THAT(take_calls(), IsEmpty());
  EXPECT_EQ(broker_.counters().refused, 1u);
  EXPECT_EQ(broker_.counters().unavailable, 1u);
}

TEST_F(ConnectorTest, FailsClosedWithoutAnAnswer) {
  broker_.plan.publish_via(kVpn);
  broker_.outcome = HelloOutcome::kNoAnswer;
  fresh();
  shim_.capture_stderr();
  EXPECT_EQ(prepare("198.51.100.1"), ENETUNREACH);
  EXPECT_NE(testing::internal::GetCapturedStderr(), "");
  EXPECT_THAT(take_calls(), IsEmpty());
}

TEST_F(ConnectorTest, CountsWhatItLeavesToTheSystem) {
  broker_.plan.publish_block();
  fresh();
  EXPECT_EQ(prepare("198.51.100.1"), EACCES);
  broker_.plan.publish_system();
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  EXPECT_EQ(broker_.counters().system, 1u);
  EXPECT_THAT(take_calls(), IsEmpty());
}

TEST_F(ConnectorTest, BindsAV4MappedSourceOnAnIpv6Socket) {
  broker_.plan.publish_via(kVpn);
  fresh(AF_INET6);
  EXPECT_EQ(prepare("198.51.100.1", AF_INET6), 0);
  EXPECT_THAT(take_calls(), ElementsAre("no port", "bind [10.2.0.2]:0", "device vpn0"));
}

TEST_F(ConnectorTest, ALinkLocalSourceBringsItsDevice) {
  broker_.plan.publish_via(entry(3, "vpn0", "fe80::2"));
  fresh(AF_INET6);
  EXPECT_EQ(prepare("fe80::9", AF_INET6), 0);
  EXPECT_THAT(take_calls(), ElementsAre("no port", "bind [fe80::2%3]:0"));
  EXPECT_EQ(fds_->get(kFd).interface, 3u);
}

TEST_F(ConnectorTest, LeavesAnAddressOfTheWrongFamilyToTheKernel) {
  broker_.plan.publish_via(kVpn6);
  fresh(AF_INET);
  EXPECT_EQ(prepare("2001:db8::1", AF_INET6), 0);
  broker_.plan.publish_via(kVpn);
  fresh(AF_INET6);
  EXPECT_EQ(prepare("198.51.100.1", AF_INET), 0);
  EXPECT_THAT(take_calls(), IsEmpty());
  fresh(AF_INET6, SOCK_DGRAM);
  EXPECT_EQ(prepare("198.51.100.1", AF_INET), 0);
  EXPECT_THAT(take_calls(), ElementsAre("no port", "bind [10.2.0.2]:0", "device vpn0"));
}

TEST_F(ConnectorTest, ChoosesNoPortForARawSocket) {
  broker_.plan.publish_via(kVpn);
  fresh(AF_INET, SOCK_RAW, IPPROTO_ICMP);
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  EXPECT_THAT(take_calls(), ElementsAre("bind 10.2.0.2:0", "device vpn0"));
}

TEST_F(ConnectorTest, AMissingPortOptionIsNoReasonToFail) {
  broker_.plan.publish_via(kVpn);
  fresh();
  kernel_.errors["no port"] = {EOPNOTSUPP};
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  EXPECT_THAT(take_calls(), ElementsAre("no port", "bind 10.2.0.2:0", "device vpn0"));
}

TEST_F(ConnectorTest, FailsClosedWhenTheSourceIsGone) {
  broker_.plan.publish_via(kVpn);
  fresh();
  kernel_.errors["bind 10.2.0.2:0"] = {EADDRNOTAVAIL};
  EXPECT_EQ(prepare("198.51.100.1"), ENETUNREACH);
  EXPECT_THAT(take_calls(), ElementsAre("no port", "bind 10.2.0.2:0"));
  EXPECT_EQ(prepare("198.51.100.1"), 0);
}

TEST_F(ConnectorTest, FailsClosedWhenTheDeviceIsGoneAndGoesOnWhenItIsBack) {
  broker_.plan.publish_via(kVpn);
  fresh();
  kernel_.errors["device vpn0"] = {ENODEV};
  EXPECT_EQ(prepare("198.51.100.1"), ENETUNREACH);
  (void)take_calls();
  EXPECT_EQ(broker_.counters().unavailable, 1u);
  broker_.plan.publish_via(kLte);
  EXPECT_EQ(prepare("198.51.100.1"), ENETUNREACH) << "its source is vpn0's";
  broker_.plan.publish_via(kVpn);
  (void)take_calls();
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  EXPECT_THAT(take_calls(), ElementsAre("device?", "state?", "device vpn0"));
}

TEST_F(ConnectorTest, APortBoundSocketGetsADeviceIfTheKernelsSourceIsTheEntrys) {
  FdState state = fresh_socket(AF_INET, SOCK_STREAM, 0);
  state.kind = FdKind::kPortBound;
  fds_->set(kFd, state);
  broker_.plan.publish_via(kVpn);
  EXPECT_EQ(prepare("198.51.100.1"), ENETUNREACH);
  EXPECT_THAT(take_calls(), IsEmpty());
  broker_.plan.publish_via(
      entry(3, "vpn0", "10.2.0.2", plan::kEntryUsable | plan::kEntryKernelSource));
  kernel_.errors["device vpn0"] = {ENODEV};
  EXPECT_EQ(prepare("198.51.100.1"), ENETUNREACH);
  EXPECT_EQ(fds_->get(kFd), state);
  (void)take_calls();
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  EXPECT_THAT(take_calls(), ElementsAre("state?", "device vpn0"));
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  EXPECT_THAT(take_calls(), ElementsAre("device?"));
}

TEST_F(ConnectorTest, AConnectedPortBoundStreamIsNotMoved) {
  FdState state = fresh_socket(AF_INET, SOCK_STREAM, 0);
  state.kind = FdKind::kPortBound;
  fds_->set(kFd, state);
  broker_.plan.publish_via(
      entry(3, "vpn0", "10.2.0.2", plan::kEntryUsable | plan::kEntryKernelSource));
  kernel_.tcp_state = TCP_ESTABLISHED;
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  EXPECT_THAT(take_calls(), ElementsAre("state?"));
}

TEST_F(ConnectorTest, APortBoundDatagramSocketLosesTheSystemsSource) {
  FdState state = fresh_socket(AF_INET, SOCK_DGRAM, 0);
  state.kind = FdKind::kPortBound;
  fds_->set(kFd, state);
  broker_.plan.publish_via(
      entry(3, "vpn0", "10.2.0.2", plan::kEntryUsable | plan::kEntryKernelSource));
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  EXPECT_THAT(take_calls(), ElementsAre("device vpn0")) << "its port stays";
  fds_->set(kFd, state);
  kernel_.connected = true;
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  EXPECT_THAT(take_calls(), ElementsAre("connect nothing", "device vpn0"));
}

TEST_F(ConnectorTest, AsksTheKernelAboutAnUnknownSocketAndRemembersNothing) {
  broker_.plan.publish_via(kVpn);
  fds_->forget(kFd);
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  EXPECT_THAT(take_calls(),
              ElementsAre("device?", "name?", "no port", "bind 10.2.0.2:0", "device vpn0"));
  kernel_.device.clear();
  fds_->forget(kFd);
  kernel_.bound = {.address = address("10.1.0.2"), .port = 5000};
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  EXPECT_THAT(take_calls(), ElementsAre("device?", "name?", "name?"));
  EXPECT_EQ(fds_->get(kFd), FdState{});
  kernel_.domain = AF_UNIX;
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  EXPECT_THAT(take_calls(), IsEmpty());
  EXPECT_EQ(fds_->get(kFd), FdState{});
}

TEST_F(ConnectorTest, ASocketThatWasBoundBehindTheHooksIsTheProgramsOwn) {
  broker_.plan.publish_via(kVpn);
  fresh();
  kernel_.errors["bind 10.2.0.2:0"] = {EINVAL};
  kernel_.bound = {.address = address("10.1.0.2"), .port = 5000};
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  EXPECT_THAT(take_calls(), ElementsAre("no port", "bind 10.2.0.2:0", "device?", "name?", "name?"));
}

class SourcedTest : public ConnectorTest {
 protected:
  void sourced(const std::string& source, int type = SOCK_STREAM) {
    fresh(AF_INET, type);
    FdState state = fds_->get(kFd);
    state.kind = FdKind::kSourced;
    fds_->set(kFd, state);
    kernel_.bound = {.address = address(source), .port = 5000};
  }
};

TEST_F(SourcedTest, ASourceOfTheRulesEntryTakesItsDevice) {
  broker_.plan.publish_via(kVpn);
  sourced("10.2.0.2");
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  EXPECT_THAT(take_calls(), ElementsAre("name?", "state?", "device vpn0"));
  EXPECT_EQ(fds_->get(kFd).kind, FdKind::kDecided);
}

TEST_F(SourcedTest, AnotherSourceIsTheProgramsChoice) {
  sourced("10.1.0.2");
  broker_.plan.publish_via(kVpn);
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  broker_.plan.publish_block();
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  EXPECT_THAT(take_calls(), ElementsAre("name?", "name?"));
}

TEST_F(SourcedTest, ADatagramSocketKeepsItsSourceWhereverItGoes) {
  broker_.plan.publish_via(kVpn);
  sourced("10.2.0.2", SOCK_DGRAM);
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  EXPECT_EQ(kernel_.device, "vpn0");
  broker_.plan.publish_via(kLte);
  (void)take_calls();
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  EXPECT_THAT(take_calls(), ElementsAre("name?", "connect nothing"));
  EXPECT_EQ(fds_->get(kFd).kind, FdKind::kSourced);
  EXPECT_FALSE(fds_->get(kFd).sourced);
}

TEST_F(ConnectorTest, ADatagramSocketThatTheSystemConnectedIsDissolvedFirst) {
  broker_.plan.publish_via(kVpn);
  fresh(AF_INET, SOCK_DGRAM);
  kernel_.protocol = IPPROTO_UDP;
  kernel_.connected = true;
  kernel_.errors["bind 10.2.0.2:0"] = {EINVAL, 0};
  EXPECT_EQ(prepare("198.51.100.1"), 0);
  EXPECT_THAT(take_calls(), ElementsAre("no port", "bind 10.2.0.2:0", "connect nothing", "device?",
                                        "name?", "no port", "bind 10.2.0.2:0", "device vpn0"));
}

TEST_F(ConnectorTest, ASocketThatCannotBeBoundAtAllFailsClosed) {
  broker_.plan.publish_via(kVpn);
  fresh();
  kernel_.errors["bind 10.2.0.2:0"] = {EINVAL, EINVAL};
  EXPECT_EQ(prepare("198.51.100.1"), ENETUNREACH);
  EXPECT_EQ(broker_.counters().unavailable, 1u);
}

TEST_F(ConnectorTest, FastOpenIsForTcpAlone) {
  broker_.plan.publish_via(kVpn);
  fresh(AF_INET, SOCK_DGRAM);
  EXPECT_EQ(prepare("198.51.100.1", AF_INET, By::kFastOpen), 0);
  EXPECT_THAT(take_calls(), IsEmpty());
  fresh();
  EXPECT_EQ(prepare("198.51.100.1", AF_INET, By::kFastOpen), 0);
  EXPECT_THAT(take_calls(), ElementsAre("no port", "bind 10.2.0.2:0", "device vpn0"));
}

}  // namespace
}  // namespace px::shim
