// SPDX-License-Identifier: MIT
#include "tests/unit/preload/datagrams/datagrams_fixture.h"

namespace px::shim {
namespace {

TEST_F(DatagramsTest, EachGoesByTheEntry) {
  broker_.plan.publish_via(kVpn);
  for (const FdKind kind : {FdKind::kFresh, FdKind::kPortBound}) {
    fresh(AF_INET, kind);
    EXPECT_EQ(egress(kPeer), "10.2.0.2%3");
    fresh(AF_INET6, kind);
    EXPECT_EQ(egress(kPeer), "10.2.0.2%3") << "v4-mapped";
  }
  EXPECT_EQ(broker_.counters().routed, 4u);
  EXPECT_EQ(broker_.hellos(), 1);
  EXPECT_THAT(kernel_.calls, testing::IsEmpty());
}

TEST_F(DatagramsTest, RefusedUnavailableAndTheSystems) {
  fresh();
  broker_.plan.publish_block();
  EXPECT_EQ(egress(kPeer), "EACCES");
  broker_.plan.publish_via(entry(3, "vpn0", "10.2.0.2", 0));
  EXPECT_EQ(egress(kPeer), "ENETUNREACH");
  broker_.plan.publish_system();
  EXPECT_EQ(egress(kPeer), "as it is");
  EXPECT_EQ(broker_.counters().refused, 1u);
  EXPECT_EQ(broker_.counters().unavailable, 1u);
  EXPECT_EQ(broker_.counters().system, 1u);
}

TEST_F(DatagramsTest, ConcernNobodyWithoutRules) {
  fresh();
  broker_.plan.publish_without_rules();
  EXPECT_TRUE(shim_.session.ensure_session());
  EXPECT_EQ(egress(kPeer), "no concern");
  broker_.plan.publish_listen(plan::ListenMode::kReceivedInterface);
  EXPECT_EQ(egress(kPeer), "as it is");
}

TEST_F(DatagramsTest, LeaveOtherSocketsAlone) {
  broker_.plan.publish_block();
  for (const FdKind kind : {FdKind::kOwned, FdKind::kForeign}) {
    fresh(AF_INET, kind);
    EXPECT_EQ(egress(kPeer), "no concern");
  }
  fds_->set(kFd, fresh_socket(AF_INET, SOCK_STREAM, 0));
  EXPECT_EQ(egress(kPeer), "no concern");
  fds_->forget(kFd);
  kernel_.type = SOCK_STREAM;
  EXPECT_EQ(egress(kPeer), "as it is");
}

TEST_F(DatagramsTest, ASocketsOwnSourceLeavesByTheRulesEntryThatHasIt) {
  broker_.plan.publish_via(kVpn);
  fresh(AF_INET, FdKind::kSourced);
  kernel_.bound = {.address = kVpn.source, .port = 53};
  EXPECT_EQ(egress(kPeer), "10.2.0.2%3");
  kernel_.bound.address = address("10.1.0.2");
  EXPECT_EQ(egress(kPeer), "as it is");
  broker_.plan.publish_block();
  EXPECT_EQ(egress(kPeer), "as it is") << "the program's choice";
}

// Where control data cannot name both, the program's source comes first.
TEST_F(DatagramsTest, AnIpv6SourceOfTheProgramsIsNeverLeftOut) {
  broker_.plan.publish_via(kKernels6);
  fresh(AF_INET6, FdKind::kSourced);
  kernel_.bound = {.address = kVpn6.source, .port = 53};
  EXPECT_EQ(egress(kPeer6), "as it is");
  by_both_ = Route{.interface = 3, .source = kVpn6.source};
  EXPECT_EQ(egress(kPeer6), "fd02::2%3");
}

// By another of the program's sockets.
class CalledElsewhereTest : public DatagramsTest {
 protected:
  CalledElsewhereTest() {
    local_addresses_->remember(
        LocalAddressCache::kAnySocket, {.address = address(kPeer), .port = 443},
        {.address = address("10.3.0.2"), .interface = 4}, LocalAddressCache::now());
    broker_.plan.publish_listen(plan::ListenMode::kReceivedInterface);
    EXPECT_TRUE(shim_.session.ensure_session());
    fresh(AF_INET, FdKind::kPortBound);
  }
  std::optional<Datagrams::Answer> answer_to(const char* peer) {
    sockaddr_storage storage;
    const socklen_t length =
        bundle::sockaddr_from_endpoint({.address = address(peer), .port = 443}, AF_INET, &storage);
    return datagrams_.answer_to(
        kFd, read_call_address(reinterpret_cast<const sockaddr*>(&storage), length));
  }
};

TEST_F(CalledElsewhereTest, UnderAListenAnySocketAnswers) {
  EXPECT_EQ(egress(kPeer), "10.3.0.2%4");
  EXPECT_EQ(egress("198.51.100.2"), "as it is") << "nobody called from there";
  broker_.plan.publish_via(kVpn);
  EXPECT_EQ(egress(kPeer), "10.2.0.2%3") << "without a listen, by the rules";
}

TEST_F(CalledElsewhereTest, ButFromNoOtherSourceThanItsOwn) {
  fresh(AF_INET, FdKind::kSourced);
  kernel_.bound = {.address = address("10.3.0.2"), .port = 53};
  EXPECT_EQ(egress(kPeer), "10.3.0.2%4");
  kernel_.bound.address = address("10.2.0.2");
  EXPECT_EQ(egress(kPeer), "as it is");
}

TEST_F(CalledElsewhereTest, SoDoesOneThatIsConnected) {
  const auto answer = answer_to(kPeer);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->by.address, address("10.3.0.2"));
  EXPECT_EQ(answer->by.interface, 4u);
  EXPECT_FALSE(answer_to("198.51.100.2"));
  fresh(AF_INET, FdKind::kOwned);
  EXPECT_FALSE(answer_to(kPeer));
  fds_->set(kFd, fresh_socket(AF_INET, SOCK_STREAM, 0));
  EXPECT_FALSE(answer_to(kPeer));
  fresh();
  broker_.plan.publish_via(kVpn);
  EXPECT_FALSE(answer_to(kPeer));
}

TEST_F(CalledElsewhereTest, UnderReceivedSourceByTheListensEntryOrNowhere) {
  broker_.plan.publish_listen(plan::ListenMode::kReceivedSource, kVpn);
  ASSERT_TRUE(answer_to(kPeer));
  EXPECT_EQ(answer_to(kPeer)->by.address, address("10.3.0.2"));
  EXPECT_EQ(answer_to(kPeer)->by.interface, 3u);
  broker_.plan.publish_listen(plan::ListenMode::kReceivedSource, entry(3, "vpn0", "10.2.0.2", 0));
  EXPECT_EQ(answer_to(kPeer)->by.interface, 0u);
}

TEST_F(CalledElsewhereTest, ANameOfTheCalledAddressGetsTheInterface) {
  const auto named = [this](const char* source, std::uint32_t interface) {
    alignas(cmsghdr) std::byte room[CMSG_SPACE(20)];
    msghdr message{};
    message.msg_controllen =
        put_packet_info({.address = address(source), .interface = interface}, message, room);
    message.msg_control = room;
    return egress(kPeer, message);
  };
  EXPECT_EQ(named("10.3.0.2", 0), "10.3.0.2%4");
  EXPECT_EQ(named("10.3.0.2", 4), "10.3.0.2%4");
  EXPECT_EQ(named("10.3.0.2", 5), "as it is") << "the program's choice";
  EXPECT_EQ(named("10.2.0.2", 0), "as it is") << "not what was called";
  broker_.plan.publish_listen(plan::ListenMode::kReceivedSource, kVpn);
  EXPECT_EQ(named("10.3.0.2", 0), "10.3.0.2%3");
  EXPECT_EQ(named("10.3.0.2", 4), "as it is");
}

TEST_F(DatagramsTest, AnUnknownSocketIsAskedAbout) {
  broker_.plan.publish_via(kVpn);
  fresh();
  fds_->forget(kFd);
  EXPECT_EQ(egress(kPeer), "10.2.0.2%3");
  EXPECT_EQ(fds_->get(kFd), FdState{});
  kernel_.device = "lan0";
  EXPECT_EQ(egress(kPeer), "as it is");
}

TEST_F(DatagramsTest, LoopbackIsLeftAlone) {
  broker_.plan.publish_block();
  fresh();
  EXPECT_EQ(egress("127.0.0.1"), "as it is");
  EXPECT_EQ(egress("0.0.0.0"), "as it is");
  EXPECT_EQ(broker_.hellos(), 0);
}

TEST_F(DatagramsTest, TheProgramsOwnChoiceIsRespected) {
  broker_.plan.publish_block();
  fresh();
  alignas(cmsghdr) std::array<std::byte, kPacketInfoSpace> room;
  msghdr message{};
  message.msg_control = room.data();
  message.msg_controllen =
      put_packet_info({.address = address("10.1.0.2"), .interface = 0}, msghdr{}, room);
  EXPECT_EQ(egress(kPeer, message), "as it is");
  EXPECT_EQ(egress("224.0.0.251"), "EACCES");
  FdNotes notes;
  notes.group_chosen = true;
  fds_->set_notes(kFd, notes);
  EXPECT_EQ(egress("224.0.0.251"), "as it is");
  EXPECT_EQ(egress(kPeer), "EACCES");
}

TEST_F(DatagramsTest, WhatTheKernelRefusesItRefuses) {
  broker_.plan.publish_block();
  fresh();
  EXPECT_EQ(egress(kPeer, {}, 0), "as it is");
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(0xc6336401);
  name.sin_port = htons(443);
  msghdr message{};
  message.msg_name = &name;
  message.msg_namelen = sizeof name - 1;
  EXPECT_EQ(egress_of(message).error, 0);
  message.msg_namelen = sizeof name;
  EXPECT_EQ(egress_of(message).error, EACCES);
  name.sin_family = AF_UNSPEC;
  EXPECT_EQ(egress_of(message).error, EACCES) << "Linux takes it for AF_INET";
  message.msg_name = nullptr;
  EXPECT_EQ(egress_of(message).error, 0);
}

TEST_F(DatagramsTest, Ipv6NamesTheInterfaceAloneWhereTheSourceIsTheKernels) {
  broker_.plan.publish_via(kKernels6);
  fresh(AF_INET6);
  EXPECT_EQ(egress(kPeer6), "::%3");
  EXPECT_EQ(probes_, 0);
  broker_.plan.publish_via(kVpn6);
  by_interface_ = Route{.interface = 3, .source = address("fd02::2")};
  EXPECT_EQ(egress(kPeer6), "::%3");
  EXPECT_EQ(probes_, 1);
  EXPECT_EQ(egress(kPeer6), "::%3");
  EXPECT_EQ(probes_, 1) << "is remembered";
  broker_.plan.publish_via(kVpn6);
  EXPECT_EQ(egress(kPeer6), "::%3");
  EXPECT_EQ(probes_, 2) << "for one plan";
}

TEST_F(DatagramsTest, Ipv6WithAnotherSourceGoesOnlyWhereItLeavesByTheInterface) {
  broker_.plan.publish_via(kVpn6);
  fresh(AF_INET6);
  by_interface_ = Route{.interface = 3, .source = address("fd02::9")};
  EXPECT_EQ(egress(kPeer6), "ENETUNREACH");
  by_both_ = Route{.interface = 2, .source = {}};
  EXPECT_EQ(egress(kPeer6), "ENETUNREACH");
  by_both_ = Route{.interface = 3, .source = {}};
  EXPECT_EQ(egress(kPeer6), "fd02::2%3");
}

TEST_F(DatagramsTest, AConnectedIpv6SocketHasASource) {
  broker_.plan.publish_via(kKernels6);
  fresh(AF_INET6);
  FdNotes notes;
  notes.connected = true;
  fds_->set_notes(kFd, notes);
  EXPECT_EQ(egress(kPeer6), "ENETUNREACH");
  by_both_ = Route{.interface = 3, .source = {}};
  EXPECT_EQ(egress(kPeer6), "fd02::2%3");
}

TEST_F(DatagramsTest, Ipv6LinkLocalNamesBoth) {
  broker_.plan.publish_via(entry(3, "vpn0", "fe80::2"));
  fresh(AF_INET6);
  EXPECT_EQ(egress("fe80::9"), "fe80::2%3");
  EXPECT_EQ(probes_, 0);
}

TEST_F(DatagramsTest, OnASocketThatPxConnected) {
  broker_.plan.publish_via(kVpn);
  decided(AF_INET, kVpn);
  EXPECT_EQ(egress(kPeer), "as it is");
  broker_.plan.publish_via(entry(3, "vpn0", "10.2.0.9"));
  EXPECT_EQ(egress(kPeer), "10.2.0.9%3");
  broker_.plan.publish_via(entry(4, "lte0", "10.3.0.2"));
  EXPECT_EQ(egress(kPeer), "10.3.0.2%4");
  broker_.plan.publish_system();
  EXPECT_EQ(egress(kPeer), "ENETUNREACH") << "it would leave by the device";
  EXPECT_EQ(egress("127.0.0.1"), "ENETUNREACH");
  decided(AF_INET6, kVpn6);
  broker_.plan.publish_via(entry(4, "lte0", "fd03::2"));
  EXPECT_EQ(egress(kPeer6), "ENETUNREACH") << "the kernel says EINVAL";
  broker_.plan.publish_via(entry(3, "vpn0", "fd02::9"));
  EXPECT_EQ(egress(kPeer6), "fd02::9%3");
}

TEST_F(DatagramsTest, AnAnswerComesFromTheAddressThatWasCalled) {
  broker_.plan.publish_system();
  called(kPeer, {.address = address("10.1.0.2"), .interface = 2});
  EXPECT_EQ(egress(kPeer), "10.1.0.2%0");
  EXPECT_EQ(egress("198.51.100.2"), "as it is");
  broker_.plan.publish_via(kVpn);
  EXPECT_EQ(egress(kPeer), "10.1.0.2%3");
  EXPECT_EQ(egress("198.51.100.2"), "10.2.0.2%3");
  broker_.plan.publish_block();
  EXPECT_EQ(egress(kPeer), "EACCES");
  fds_->set_notes(kFd, {});
  broker_.plan.publish_via(kVpn);
  EXPECT_EQ(egress(kPeer), "10.2.0.2%3") << "another socket";
}

TEST_F(DatagramsTest, AnIpv6AnswerKeepsTheRulesInterface) {
  broker_.plan.publish_via(kKernels6);
  called(kPeer6, {.address = address("fd01::2"), .interface = 2});
  by_interface_ = Route{.interface = 3, .source = address("fd02::2")};
  EXPECT_EQ(egress(kPeer6), "::%3");
  by_both_ = Route{.interface = 3, .source = {}};
  EXPECT_EQ(egress(kPeer6), "fd01::2%3");
}

TEST_F(DatagramsTest, AnAnswerLeavesByTheInterfaceOfTheCall) {
  broker_.plan.publish_listen(plan::ListenMode::kReceivedInterface);
  called(kPeer, {.address = address("10.1.0.2"), .interface = 2});
  EXPECT_EQ(egress(kPeer), "10.1.0.2%2");
  EXPECT_EQ(broker_.hellos(), 1);
  EXPECT_EQ(broker_.counters().routed, 1u);
  called("127.0.0.5", {.address = address("127.0.0.2"), .interface = 1});
  EXPECT_EQ(egress("127.0.0.5"), "127.0.0.2%0");
  called(kPeer6, {.address = address("fd02::2"), .interface = 3});
  EXPECT_EQ(egress(kPeer6), "fd02::2%3");
}

TEST_F(DatagramsTest, AnAnswerLeavesByTheEntryForThem) {
  broker_.plan.publish_listen(plan::ListenMode::kReceivedSource, kVpn);
  called(kPeer, {.address = address("10.1.0.2"), .interface = 2});
  EXPECT_EQ(egress(kPeer), "10.1.0.2%3");
  broker_.plan.publish_listen(plan::ListenMode::kReceivedSource, entry(3, "vpn0", "10.2.0.2", 0));
  EXPECT_EQ(egress(kPeer), "ENETUNREACH");
}

TEST_F(DatagramsTest, AnAnswerIsTheHostsOwnOnceTheProgramHasNoProfile) {
  broker_.plan.publish_listen(plan::ListenMode::kReceivedInterface);
  called(kPeer, {.address = address("10.1.0.2"), .interface = 2});
  EXPECT_EQ(egress(kPeer), "10.1.0.2%2");
  shim_.plan.retire();
  EXPECT_EQ(egress(kPeer), "no concern");
}

TEST_F(DatagramsTest, AnAnswerFailsClosedWithoutAWelcome) {
  broker_.plan.publish_listen(plan::ListenMode::kReceivedInterface);
  broker_.outcome = HelloOutcome::kNoAnswer;
  called(kPeer, {.address = address("10.1.0.2"), .interface = 2});
  shim_.capture_stderr();
  EXPECT_EQ(egress(kPeer), "ENETUNREACH");
  EXPECT_NE(testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace px::shim
