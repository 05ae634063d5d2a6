// SPDX-License-Identifier: MIT
#include "preload/sockets/program_choices.h"

#include <gtest/gtest.h>
#include <netinet/in.h>

#include <cstring>
#include <memory>

#include "tests/unit/preload/shim_fixture.h"

namespace px::shim {
namespace {

constexpr int kFd = 9;
const FdState kFresh = fresh_socket(AF_INET, SOCK_STREAM, 0);

class ProgramChoicesTest : public testing::Test {
 protected:
  ProgramChoicesTest() { fds_->set(kFd, kFresh); }

  FdKind after_bind(const char* source, FdState before = kFresh, sa_family_t family = AF_INET) {
    fds_->set(kFd, before);
    sockaddr_storage storage;
    const socklen_t length =
        bundle::sockaddr_from_endpoint({.address = address(source)}, family, &storage);
    const auto* name = reinterpret_cast<const sockaddr*>(&storage);
    note_bind(fds_.get(), kFd, bundle::endpoint_from_sockaddr(name, length));
    return fds_->get(kFd).kind;
  }
  FdKind after_option(int level, int name, const void* value, socklen_t length,
                      FdState before = kFresh) {
    fds_->set(kFd, before);
    note_option(fds_.get(), kFd, level, name, value, length);
    return fds_->get(kFd).kind;
  }
  FdKind after_number(int level, int name, int value, FdState before = kFresh) {
    return after_option(level, name, &value, sizeof value, before);
  }

  std::unique_ptr<FdTable> fds_ = std::make_unique<FdTable>();
};

TEST_F(ProgramChoicesTest, ASourceIsTheProgramsChoiceAPortIsNot) {
  EXPECT_EQ(after_bind("10.0.0.1"), FdKind::kSourced);
  EXPECT_EQ(after_bind("127.0.0.1"), FdKind::kOwned);
  EXPECT_EQ(after_bind("fe80::1", fresh_socket(AF_INET6, SOCK_STREAM, 0), AF_INET6), FdKind::kOwned)
      << "it brings its device with it";
  EXPECT_EQ(after_bind("::1", fresh_socket(AF_INET6, SOCK_STREAM, 0), AF_INET6), FdKind::kOwned);
  EXPECT_EQ(after_bind("0.0.0.0"), FdKind::kPortBound);
  EXPECT_EQ(after_bind("::", fresh_socket(AF_INET6, SOCK_DGRAM, 0), AF_INET6), FdKind::kPortBound);
  EXPECT_TRUE(fds_->get(kFd).ipv6);
  EXPECT_TRUE(fds_->get(kFd).datagram);
}

TEST_F(ProgramChoicesTest, AnUnknownSocketStaysUnknown) {
  EXPECT_EQ(after_bind("0.0.0.0", {}), FdKind::kUnknown);
  EXPECT_EQ(after_bind("10.0.0.1", {}), FdKind::kUnknown);
}

TEST_F(ProgramChoicesTest, ASocketThatHasADeviceStaysTheProgramsWithASource) {
  EXPECT_EQ(after_bind("10.0.0.1", {.kind = FdKind::kOwned}), FdKind::kOwned);
}

TEST_F(ProgramChoicesTest, WhatPxHasReleasedIsBoundAsAFreshSocket) {
  FdState released = fresh_socket(AF_INET, SOCK_DGRAM, 0);
  released.kind = FdKind::kReleased;
  EXPECT_EQ(after_bind("10.0.0.1", released), FdKind::kSourced);
  EXPECT_EQ(after_bind("0.0.0.0", released), FdKind::kPortBound);
}

TEST_F(ProgramChoicesTest, ABoundUnixSocketStaysForeign) {
  fds_->set(kFd, {.kind = FdKind::kForeign});
  const sockaddr local{.sa_family = AF_UNIX, .sa_data = "/x"};
  note_bind(fds_.get(), kFd, bundle::endpoint_from_sockaddr(&local, sizeof local));
  EXPECT_EQ(fds_->get(kFd).kind, FdKind::kForeign);
}

TEST_F(ProgramChoicesTest, WhatIsBoundToNoInternetAddressIsAskedFor) {
  const sockaddr unspecified{.sa_family = AF_UNSPEC, .sa_data = {}};
  note_bind(fds_.get(), kFd, bundle::endpoint_from_sockaddr(&unspecified, sizeof unspecified));
  EXPECT_EQ(fds_->get(kFd).kind, FdKind::kUnknown);
}

TEST_F(ProgramChoicesTest, OptionsThatChooseTheEgress) {
  EXPECT_EQ(after_option(SOL_SOCKET, SO_BINDTODEVICE, "lo", 2), FdKind::kOwned);
  EXPECT_EQ(after_number(SOL_SOCKET, SO_BINDTOIFINDEX, 3), FdKind::kOwned);
  EXPECT_EQ(after_number(SOL_SOCKET, SO_MARK, 3), FdKind::kOwned);
  EXPECT_EQ(after_number(IPPROTO_IP, IP_UNICAST_IF, 3), FdKind::kOwned);
  EXPECT_EQ(after_number(IPPROTO_IPV6, IPV6_UNICAST_IF, 3), FdKind::kOwned);
  const in6_pktinfo info{};
  EXPECT_EQ(after_option(IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info), FdKind::kOwned);
}

TEST_F(ProgramChoicesTest, OptionsThatChooseNothing) {
  EXPECT_EQ(after_option(SOL_SOCKET, SO_BINDTODEVICE, "", 1), FdKind::kFresh);
  EXPECT_EQ(after_option(SOL_SOCKET, SO_BINDTODEVICE, nullptr, 0), FdKind::kFresh);
  EXPECT_EQ(after_number(SOL_SOCKET, SO_MARK, 0), FdKind::kFresh);
  EXPECT_EQ(after_number(SOL_SOCKET, SO_REUSEADDR, 1), FdKind::kFresh);
  EXPECT_EQ(after_number(IPPROTO_TCP, SO_MARK, 1), FdKind::kFresh) << "another level";
}

TEST_F(ProgramChoicesTest, AChoiceThatIsLiftedIsAskedFor) {
  for (const FdKind kind : {FdKind::kOwned, FdKind::kDecided}) {
    EXPECT_EQ(after_option(SOL_SOCKET, SO_BINDTODEVICE, "", 0, {.kind = kind}), FdKind::kUnknown);
  }
}

TEST_F(ProgramChoicesTest, ReceivedDescriptorsAreUnknown) {
  alignas(cmsghdr) char control[CMSG_SPACE(2 * sizeof(int))] = {};
  msghdr message{};
  note_received(fds_.get(), message);
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(2 * sizeof(int));
  const int received[] = {4, kFd};
  std::memcpy(CMSG_DATA(header), received, sizeof received);
  fds_->set(4, kFresh);
  fds_->set(5, kFresh);
  note_received(fds_.get(), message);
  EXPECT_EQ(fds_->get(4).kind, FdKind::kUnknown);
  EXPECT_EQ(fds_->get(5).kind, FdKind::kFresh);
  EXPECT_EQ(fds_->get(kFd).kind, FdKind::kUnknown);
}

TEST_F(ProgramChoicesTest, OtherControlDataIsNoDescriptor) {
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = IPPROTO_IP;
  header->cmsg_type = IP_TTL;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(header), &kFd, sizeof kFd);
  note_received(fds_.get(), message);
  EXPECT_EQ(fds_->get(kFd).kind, FdKind::kFresh);
}

}  // namespace
}  // namespace px::shim
