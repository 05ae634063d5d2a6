// SPDX-License-Identifier: MIT
#include "preload/datagrams/receiving.h"

#include <memory>
#include <utility>

#include "tests/unit/preload/fake_libc.h"
#include "tests/unit/preload/streams/connector_fixture.h"

namespace px::shim {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class ReceivingTest : public ConnectorTest {
 protected:
  ReceivingTest() {
    broker_.plan.publish_via(kVpn);
    EXPECT_TRUE(shim_.session.ensure_session());
    bind_to_port(AF_INET);
  }

  // As after the program's bind to a port.
  void bind_to_port(int domain) {
    fresh(domain, SOCK_DGRAM);
    kernel_.protocol = IPPROTO_UDP;
    FdState state = fds_->get(kFd);
    state.kind = FdKind::kPortBound;
    fds_->set(kFd, state);
    fds_->set_notes(kFd, {});
  }
  void bound(std::uint16_t port = 53) {
    receiving_.bound(kFd, bundle::Endpoint{.address = bundle::ipv4_address(0), .port = port});
  }
  [[nodiscard]] std::optional<PacketInfo> remembered() const {
    return local_addresses_->find(fds_->notes(kFd).generation, libc_.peer,
                                  LocalAddressCache::now());
  }

  struct Got {
    ssize_t result;
    std::size_t control;
    bool truncated;
  };
  Got recvmsg(std::size_t room = 128, int flags = 0) {
    alignas(cmsghdr) std::array<std::byte, 2048> control{};
    sockaddr_storage peer;
    msghdr message{};
    message.msg_name = &peer;
    message.msg_namelen = sizeof peer;
    message.msg_control = room == 0 ? nullptr : control.data();
    message.msg_controllen = room;
    const ssize_t result = receiving_.recvmsg(kFd, &message, flags);
    EXPECT_EQ(message.msg_namelen, sizeof(sockaddr_in));
    return {result, message.msg_controllen, (message.msg_flags & MSG_CTRUNC) != 0};
  }

  FakeLibc libc_;
  std::unique_ptr<LocalAddressCache> local_addresses_ = std::make_unique<LocalAddressCache>();
  std::unique_ptr<LocalAddressCache> asked_ = std::make_unique<LocalAddressCache>();
  Redirecting redirecting_{kFakeCalls, *fds_, shim_.plan, shim_.decider, *asked_};
  Receiving receiving_{libc_.symbols, kFakeCalls,        *fds_,       shim_.plan,
                       shim_.decider, *local_addresses_, redirecting_};
};

TEST_F(ReceivingTest, AProgramWithoutAProfileHasNothingWatched) {
  broker_.plan.publish_listen(plan::ListenMode::kReceivedInterface);
  shim_.plan.retire();
  bound();
  EXPECT_FALSE(fds_->notes(kFd).watched);
  EXPECT_THAT(take_calls(), IsEmpty());
}

TEST_F(ReceivingTest, WatchesAServerAtBind) {
  bound();
  EXPECT_THAT(take_calls(), ElementsAre("pktinfo 4"));
  EXPECT_TRUE(fds_->notes(kFd).watched);
  const auto generation = fds_->notes(kFd).generation;
  bind_to_port(AF_INET6);
  bound();
  EXPECT_THAT(take_calls(), ElementsAre("pktinfo 4", "pktinfo 6"));
  EXPECT_NE(fds_->notes(kFd).generation, generation);
}

TEST_F(ReceivingTest, ASocketBoundToAnyPortIsNoServer) {
  bound(0);
  EXPECT_EQ(recvmsg().result, 1);
  EXPECT_FALSE(fds_->notes(kFd).watched);
  EXPECT_THAT(take_calls(), IsEmpty());
}

TEST_F(ReceivingTest, LeavesOtherSocketsAlone) {
  broker_.plan.publish_without_rules();
  bound();
  EXPECT_FALSE(fds_->notes(kFd).watched);
  broker_.plan.publish_via(kVpn);
  for (const FdKind kind : {FdKind::kFresh, FdKind::kOwned, FdKind::kDecided, FdKind::kForeign}) {
    FdState state = fds_->get(kFd);
    state.kind = kind;
    fds_->set(kFd, state);
    bound();
    EXPECT_EQ(recvmsg().result, 1);
    EXPECT_FALSE(fds_->notes(kFd).watched);
  }
  EXPECT_THAT(take_calls(), IsEmpty());
}

TEST_F(ReceivingTest, WatchesASocketWithItsOwnSourceUnderAListenAlone) {
  FdState state = fds_->get(kFd);
  state.kind = FdKind::kSourced;
  fds_->set(kFd, state);
  broker_.plan.publish_listen(plan::ListenMode::kReceivedInterface);
  bound();
  EXPECT_TRUE(fds_->notes(kFd).watched);
  EXPECT_EQ(recvmsg().result, 1);
  EXPECT_TRUE(remembered());
  fds_->set_notes(kFd, {});
  broker_.plan.publish_via(kVpn);
  bound();
  EXPECT_FALSE(fds_->notes(kFd).watched);
}

TEST_F(ReceivingTest, ASocketThatIsInheritedIsLookedAtOnce) {
  fds_->forget(kFd);
  kernel_.bound.port = 53;
  EXPECT_EQ(recvmsg().result, 1);
  EXPECT_THAT(take_calls(), ElementsAre("device?", "name?", "pktinfo 4"));
  EXPECT_TRUE(remembered());
  EXPECT_EQ(recvmsg().result, 1);
  EXPECT_THAT(take_calls(), IsEmpty());
  fds_->forget(kFd);
  kernel_.bound.address = address("10.1.0.2");
  EXPECT_EQ(recvmsg(CMSG_SPACE(12) + CMSG_SPACE(1)).control, CMSG_SPACE(12) + CMSG_SPACE(1));
  EXPECT_THAT(take_calls(), ElementsAre("device?", "name?"));
}

TEST_F(ReceivingTest, RemembersWhatWasCalledAndShowsTheProgramItsOwn) {
  bound();
  for (const std::size_t room : {std::size_t{128}, std::size_t{2000}}) {
    const Got got = recvmsg(room);
    EXPECT_EQ(got.control, CMSG_SPACE(1));
    EXPECT_FALSE(got.truncated);
  }
  ASSERT_TRUE(remembered());
  EXPECT_EQ(remembered()->address, address("10.1.0.2"));
  EXPECT_EQ(remembered()->interface, 2u);
  EXPECT_TRUE(recvmsg(0).truncated);
  EXPECT_TRUE(recvmsg(sizeof(cmsghdr) - 1).truncated);
  EXPECT_EQ(recvmsg(CMSG_LEN(1)).control, CMSG_LEN(1));
}

TEST_F(ReceivingTest, TheErrorQueueTellsOfNoCall) {
  bound();
  EXPECT_EQ(recvmsg(128, MSG_ERRQUEUE).control, CMSG_SPACE(1));
  EXPECT_FALSE(remembered());
}

TEST_F(ReceivingTest, ShowsTheProgramWhatItAskedFor) {
  const int on = 1;
  const int off = 0;
  bound();
  receiving_.option_set(kFd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
  EXPECT_EQ(recvmsg().control, CMSG_SPACE(12) + CMSG_SPACE(1));
  EXPECT_TRUE(remembered());
  (void)take_calls();
  receiving_.option_set(kFd, IPPROTO_IP, IP_PKTINFO, &off, sizeof off);
  EXPECT_THAT(take_calls(), ElementsAre("pktinfo 4")) << "px still wants it";
  EXPECT_EQ(recvmsg().control, CMSG_SPACE(1));
}

TEST_F(ReceivingTest, RecvfromIsToldTheSame) {
  bound();
  char data = 0;
  sockaddr_in peer{};
  socklen_t length = sizeof peer;
  auto* address = reinterpret_cast<sockaddr*>(&peer);
  EXPECT_EQ(receiving_.recvfrom(kFd, &data, 1, 0, address, &length), 1);
  EXPECT_EQ(length, sizeof peer);
  EXPECT_EQ(peer.sin_port, htons(443));
  EXPECT_TRUE(remembered());
  EXPECT_EQ(receiving_.recvfrom(kFd, &data, 1, 0, nullptr, nullptr), 1);
  EXPECT_THAT(libc_.calls, ElementsAre("recvmsg", "recvfrom"));
}

TEST_F(ReceivingTest, AnAddressThatWasCutIsNotRemembered) {
  bound();
  char data = 0;
  sockaddr_in peer{};
  socklen_t length = 4;
  EXPECT_EQ(receiving_.recvfrom(kFd, &data, 1, 0, reinterpret_cast<sockaddr*>(&peer), &length), 1);
  EXPECT_EQ(length, sizeof peer);
  EXPECT_FALSE(remembered());
}

TEST_F(ReceivingTest, ManyAtOnce) {
  bound();
  std::array<sockaddr_in, 20> peers{};
  std::array<mmsghdr, 20> messages{};
  for (std::size_t i = 0; i < messages.size(); ++i) {
    messages[i].msg_hdr.msg_name = &peers[i];
    messages[i].msg_hdr.msg_namelen = sizeof peers[i];
  }
  libc_.results = {20, 20, 2};
  errno = 4711;
  EXPECT_EQ(receiving_.recvmmsg(kFd, messages.data(), 20, MSG_WAITFORONE, nullptr), 18);
  EXPECT_EQ(errno, 4711);
  EXPECT_THAT(libc_.calls, ElementsAre("recvmmsg 8", "recvmmsg 8 now", "recvmmsg 4 now"));
  EXPECT_EQ(peers[17].sin_port, htons(443));
  EXPECT_TRUE(remembered());
  libc_.results = {8, -EAGAIN};
  EXPECT_EQ(receiving_.recvmmsg(kFd, messages.data(), 20, 0, nullptr), 8);
  libc_.results = {-EAGAIN};
  EXPECT_EQ(receiving_.recvmmsg(kFd, messages.data(), 20, 0, nullptr), -1);
  EXPECT_EQ(errno, EAGAIN);
}

TEST_F(ReceivingTest, WhatTheProgramChoseAndConnectedIsNoted) {
  const int index = 3;
  receiving_.option_set(kFd, IPPROTO_IP, IP_MULTICAST_IF, &index, sizeof index);
  EXPECT_TRUE(fds_->notes(kFd).group_chosen);
  receiving_.connected(kFd, AF_INET);
  EXPECT_TRUE(fds_->notes(kFd).connected);
  receiving_.connected(kFd, AF_UNSPEC);
  EXPECT_FALSE(fds_->notes(kFd).connected);
}

}  // namespace
}  // namespace px::shim
