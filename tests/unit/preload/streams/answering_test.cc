// SPDX-License-Identifier: MIT
// A datagram socket that is connected to a peer which has called the program (PX-5).
#include "tests/unit/preload/streams/connector_fixture.h"

namespace px::shim {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class AnsweringTest : public ConnectorTest {
 protected:
  AnsweringTest() {
    broker_.plan.publish_listen(plan::ListenMode::kReceivedInterface);
    EXPECT_TRUE(shim_.session.ensure_session());
    kernel_.protocol = IPPROTO_UDP;
  }

  void socket(FdKind kind, int domain = AF_INET) {
    fresh(domain, SOCK_DGRAM);
    FdState state = fds_->get(kFd);
    state.kind = kind;
    fds_->set(kFd, state);
  }

  // 0 when the program's call is to be made, else its errno.
  int answer(const std::string& source, std::uint32_t interface = 4, std::uint32_t mark = 0) {
    const plan::Address from = address(source);
    sockaddr_storage storage;
    const bool ipv4 = from.is_ipv4();
    const socklen_t length = bundle::sockaddr_from_endpoint(
        {.address = address(ipv4 ? "198.51.100.1" : "2001:db8::1"), .port = 443},
        ipv4 ? AF_INET : AF_INET6, &storage);
    const auto peer = read_call_address(reinterpret_cast<const sockaddr*>(&storage), length);
    errno = 4711;
    if (!connector_.prepare_answer(kFd, peer, {from, interface, mark})) return errno;
    EXPECT_EQ(errno, 4711);
    return 0;
  }
};

TEST_F(AnsweringTest, AnUnboundSocketGetsSourceAndInterfaceOfTheCall) {
  socket(FdKind::kFresh);
  EXPECT_EQ(answer("10.3.0.2"), 0);
  EXPECT_THAT(take_calls(), ElementsAre("no port", "bind 10.3.0.2:0", "interface 4"));
  EXPECT_EQ(fds_->get(kFd).kind, FdKind::kDecided);
  EXPECT_EQ(fds_->get(kFd).interface, 4u);
  EXPECT_EQ(broker_.counters().routed, 1u);
}

// It cannot be bound to a source any more, but keeps that of its first peer.
TEST_F(AnsweringTest, AServersPortStays) {
  socket(FdKind::kPortBound);
  EXPECT_EQ(answer("10.3.0.2"), 0);
  EXPECT_THAT(take_calls(), ElementsAre("connect 10.3.0.2:443", "interface 4"));
  EXPECT_TRUE(fds_->get(kFd).source_fixed);
  EXPECT_EQ(answer("10.2.0.2", 3), 0) << "and once more, by another";
  EXPECT_THAT(take_calls(), ElementsAre("connect nothing", "connect 10.2.0.2:443", "interface 3"));
}

TEST_F(AnsweringTest, ALinkLocalSourceBringsItsDevice) {
  socket(FdKind::kPortBound, AF_INET6);
  EXPECT_EQ(answer("fe80::2"), 0);
  EXPECT_THAT(take_calls(), ElementsAre("connect [fe80::2%4]:443"));
}

TEST_F(AnsweringTest, OfASocketWithItsOwnSourceTheInterfaceIsChosen) {
  socket(FdKind::kSourced);
  kernel_.bound = {.address = address("10.3.0.2"), .port = 53};
  EXPECT_EQ(answer("10.3.0.2"), 0);
  EXPECT_THAT(take_calls(), ElementsAre("name?", "interface 4"));
  EXPECT_TRUE(fds_->get(kFd).sourced);
  socket(FdKind::kSourced);
  EXPECT_EQ(answer("10.2.0.2"), 0) << "another source than was called";
  EXPECT_THAT(take_calls(), testing::Not(testing::Contains("interface 4")));
}

TEST_F(AnsweringTest, ACallToAGroupWasToNoAddress) {
  for (const FdKind kind : {FdKind::kFresh, FdKind::kPortBound}) {
    socket(kind, AF_INET6);
    kernel_.calls.clear();
    EXPECT_EQ(answer("::"), 0);
    EXPECT_THAT(take_calls(), ElementsAre("interface 4"));
  }
}

TEST_F(AnsweringTest, TheMarkOfListenIsOnIt) {
  broker_.plan.mark_mask = 0xff000000;
  broker_.plan.publish_listen(plan::ListenMode::kReceivedInterface);
  socket(FdKind::kPortBound);
  EXPECT_EQ(answer("10.3.0.2", 4, 0x05000000), 0);
  EXPECT_EQ(kernel_.mark, 0x05000000u);
}

// A send has bound it to a port, which no hook saw.
TEST_F(AnsweringTest, ASocketThatHasSentIsAskedAbout) {
  socket(FdKind::kFresh);
  kernel_.errors["bind 10.3.0.2:0"] = {EINVAL};
  kernel_.bound.port = 5000;
  EXPECT_EQ(answer("10.3.0.2"), 0);
  EXPECT_THAT(take_calls(), ElementsAre("no port", "bind 10.3.0.2:0", "device?", "name?",
                                        "connect 10.3.0.2:443", "interface 4"));
}

TEST_F(AnsweringTest, WhatCannotBeHadFailsClosed) {
  socket(FdKind::kPortBound);
  EXPECT_EQ(answer("10.3.0.2", 0), ENETUNREACH) << "no interface";
  EXPECT_THAT(take_calls(), IsEmpty());
  kernel_.errors["interface 4"] = {ENODEV};
  EXPECT_EQ(answer("10.3.0.2"), ENETUNREACH);
  EXPECT_EQ(broker_.counters().unavailable, 2u);
}

TEST_F(AnsweringTest, OtherSocketsFollowTheRules) {
  socket(FdKind::kOwned);
  EXPECT_EQ(answer("10.3.0.2"), 0);
  fresh(AF_INET, SOCK_STREAM);
  EXPECT_EQ(answer("10.3.0.2"), 0);
  EXPECT_THAT(take_calls(), IsEmpty());
}

}  // namespace
}  // namespace px::shim
