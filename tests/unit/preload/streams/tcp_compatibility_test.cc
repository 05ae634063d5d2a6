// SPDX-License-Identifier: MIT
#include "preload/streams/tcp_compatibility.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "tests/unit/preload/shim_session.h"

namespace px::shim {
namespace {

using plan::BundleTransport;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr int kFd = 9;
constexpr int kSolSctp = 132;

int input_asked(int, unsigned long, ...) {
  return 0;
}

// A socket of `protocol` with a buffer of 100,000 bytes, and room for `room` more bytes.
struct FakeStream {
  FakeStream() {
    here = this;
    symbols.send = [](int, const void*, size_t size, int flags) -> ssize_t {
      if (size > here->room) {
        errno = EAGAIN;
        return -1;
      }
      here->room -= size;
      here->sent.push_back(size);
      here->flags = flags;
      return static_cast<ssize_t>(size);
    };
    symbols.setsockopt = [](int, int level, int name, const void*, socklen_t) noexcept {
      here->options.push_back(std::to_string(level) + " " + std::to_string(name));
      return 0;
    };
    symbols.getsockopt = [](int, int level, int name, void*, socklen_t*) noexcept {
      here->options.push_back(std::to_string(level) + " " + std::to_string(name));
      return 0;
    };
    symbols.ioctl = &input_asked;
    system.getsockopt = [](int, int level, int name, void* value, socklen_t* length) {
      ++here->asked;
      if (name == SO_MEMINFO) {
        std::array<std::uint32_t, 9> memory{};
        memory[5] = 4'096;  // sk_wmem_queued
        *length = std::min<socklen_t>(*length, sizeof memory);
        std::memcpy(value, memory.data(), *length);
        return 0;
      }
      if (level == kSolSctp) {
        const sockaddr_in primary{.sin_family = AF_INET,
                                  .sin_port = htons(80),
                                  .sin_addr = {htonl(0x0a000001)},
                                  .sin_zero = {}};
        std::memset(value, 0, *length);
        std::memcpy(static_cast<char*>(value) + 4, &primary, sizeof primary);
        return 0;
      }
      if (name == SO_SNDTIMEO) return -1;
      *static_cast<int*>(value) = name == SO_SNDBUF  ? 100'000
                                  : name == SO_ERROR ? here->failure
                                                     : here->protocol;
      return 0;
    };
    system.fcntl = [](int, int, int) { return here->file_flags; };
    system.ppoll = [](pollfd*, unsigned, timespec*, const bundle::SignalMask*, std::size_t) {
      return 1;
    };
    system.sigprocmask = [](int, const bundle::SignalMask*, bundle::SignalMask*, std::size_t) {
      return 0;
    };
    system.clock_gettime = &::clock_gettime;
  }
  ~FakeStream() { here = nullptr; }

  static inline FakeStream* here = nullptr;
  Symbols symbols;
  SystemCalls system;
  int protocol = IPPROTO_SCTP;
  std::size_t room = 1 << 30;
  std::vector<std::size_t> sent;
  int flags = 0;
  int file_flags = 0;
  int failure = 0;  // SO_ERROR
  std::vector<std::string> options;
  int asked = 0;
};

class TcpCompatibilityTest : public testing::Test {
 protected:
  TcpCompatibilityTest() { profile(BundleTransport::kSctp); }
  void profile(BundleTransport transport) {
    plan::BundleSettings settings{};
    settings.transports[0] = transport;
    broker_.plan.publish_bundles(settings);
    EXPECT_TRUE(shim_.session.ensure_session());
  }
  ssize_t failed(int error, std::size_t size, int flags = 0) {
    bytes_.resize(size);
    const iovec part{bytes_.data(), size};
    errno = error;
    return tcp_.write_failed(kFd, {&part, 1}, flags);
  }

  std::string bytes_;
  FakeStream stream_;
  TestBroker broker_;
  StartedSession shim_;
  TcpCompatibility tcp_{stream_.symbols, stream_.system, shim_.plan};
};

TEST_F(TcpCompatibilityTest, WhatTheKernelCouldNotReadIsNotReadEither) {
  errno = EFAULT;
  EXPECT_EQ(tcp_.write_failed(kFd, {reinterpret_cast<const iovec*>(16), 1}, 0), -1);
  EXPECT_EQ(errno, EFAULT);
}

TEST_F(TcpCompatibilityTest, AConnectThatTheKernelBeganAgainGoesOn) {
  errno = EALREADY;
  EXPECT_EQ(tcp_.connect_failed(kFd), 0);
  stream_.failure = ETIMEDOUT;
  errno = EALREADY;
  EXPECT_EQ(tcp_.connect_failed(kFd), -1);
  EXPECT_EQ(errno, ETIMEDOUT);
  // What does not wait is answered by the kernel alone.
  stream_.file_flags = O_NONBLOCK;
  errno = EALREADY;
  EXPECT_EQ(tcp_.connect_failed(kFd), -1);
  EXPECT_EQ(errno, EALREADY);
}

TEST_F(TcpCompatibilityTest, HowMuchHasNotArrivedIsAskedOfTheSocketsMemory) {
  int bytes = -1;
  errno = ENOTTY;
  EXPECT_EQ(tcp_.queue_query_failed(kFd, &bytes), 0);
  EXPECT_EQ(bytes, 4'096);
  bytes = -1;
  stream_.protocol = 0;  // another file altogether
  EXPECT_EQ(tcp_.queue_query_failed(kFd, &bytes), -1);
  EXPECT_EQ(errno, ENOTTY);
  EXPECT_EQ(bytes, -1);
}

TEST_F(TcpCompatibilityTest, WhatIsTooMuchIsSentInPieces) {
  EXPECT_EQ(failed(EMSGSIZE, 150'000), 150'000);
  EXPECT_THAT(stream_.sent, ElementsAre(65'536, 65'536, 18'928));
}

TEST_F(TcpCompatibilityTest, PiecesOfSeveralPartsAreCounted) {
  std::string first(70'000, 'a');
  std::string second(10, 'b');
  const std::array parts = {iovec{first.data(), first.size()}, iovec{nullptr, 0},
                            iovec{second.data(), second.size()}};
  errno = EMSGSIZE;
  EXPECT_EQ(tcp_.write_failed(kFd, parts, MSG_NOSIGNAL), 70'010);
  EXPECT_THAT(stream_.sent, ElementsAre(65'536, 4'464, 10));
  EXPECT_EQ(stream_.flags, MSG_NOSIGNAL);
}

TEST_F(TcpCompatibilityTest, AShortWriteIsWhatFits) {
  stream_.room = 70'000;
  EXPECT_EQ(failed(EMSGSIZE, 300'000), 65'536);
  stream_.room = 10;
  EXPECT_EQ(failed(EMSGSIZE, 300'000), -1);
  EXPECT_EQ(errno, EAGAIN);
}

TEST_F(TcpCompatibilityTest, NothingIsZeroBytes) {
  EXPECT_EQ(failed(EINVAL, 0), 0);
  EXPECT_EQ(failed(EINVAL, 1), -1);
  EXPECT_EQ(errno, EINVAL);
}

TEST_F(TcpCompatibilityTest, UrgentDataIsData) {
  EXPECT_EQ(failed(EOPNOTSUPP, 1, MSG_OOB | MSG_NOSIGNAL), 1);
  EXPECT_EQ(stream_.flags, MSG_NOSIGNAL);
}

TEST_F(TcpCompatibilityTest, OtherFailuresAskNobody) {
  EXPECT_EQ(failed(EAGAIN, 10), -1);
  EXPECT_EQ(failed(EPIPE, 10), -1);
  EXPECT_EQ(errno, EPIPE);
  EXPECT_EQ(stream_.asked, 0);
}

TEST_F(TcpCompatibilityTest, OtherSocketsFailAsTheyDid) {
  stream_.protocol = IPPROTO_UDP;
  EXPECT_EQ(failed(EMSGSIZE, 150'000), -1);
  EXPECT_EQ(errno, EMSGSIZE);
  stream_.protocol = IPPROTO_SCTP;
  profile(BundleTransport::kTcp);
  EXPECT_EQ(failed(EMSGSIZE, 150'000), -1);
  EXPECT_EQ(errno, EMSGSIZE);
}

TEST_F(TcpCompatibilityTest, OptionsOfTcpAreAcceptedAndNoDelayIsSet) {
  const int on = 1;
  errno = ENOPROTOOPT;
  EXPECT_EQ(tcp_.option_set(-1, kFd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), 0);
  EXPECT_THAT(stream_.options, ElementsAre("132 3"));
  errno = ENOPROTOOPT;
  EXPECT_EQ(tcp_.option_set(-1, kFd, IPPROTO_TCP, TCP_KEEPIDLE, &on, sizeof on), 0);
  errno = ENOPROTOOPT;
  EXPECT_EQ(tcp_.option_set(-1, kFd, IPPROTO_IP, 4711, &on, sizeof on), -1);
  EXPECT_EQ(stream_.options.size(), 1u);
}

TEST_F(TcpCompatibilityTest, OptionsThatPromiseSomethingFail) {
  const int on = 1;
  for (const int name : {TCP_MD5SIG, TCP_ULP, TCP_REPAIR}) {
    errno = ENOPROTOOPT;
    EXPECT_EQ(tcp_.option_set(-1, kFd, IPPROTO_TCP, name, &on, sizeof on), -1);
    EXPECT_EQ(errno, ENOPROTOOPT);
  }
}

TEST_F(TcpCompatibilityTest, SoAreThoseThatMptcpLacks) {
  const int on = 1;
  errno = EOPNOTSUPP;
  EXPECT_EQ(tcp_.option_set(-1, kFd, IPPROTO_TCP, TCP_USER_TIMEOUT, &on, sizeof on), 0);
  stream_.protocol = IPPROTO_MPTCP;
  errno = EOPNOTSUPP;
  EXPECT_EQ(tcp_.option_set(-1, kFd, IPPROTO_TCP, TCP_USER_TIMEOUT, &on, sizeof on), -1)
      << "of a profile without MPTCP, a program's own";
  EXPECT_EQ(errno, EOPNOTSUPP);
  profile(BundleTransport::kMptcp);
  EXPECT_EQ(tcp_.option_set(-1, kFd, IPPROTO_TCP, TCP_USER_TIMEOUT, &on, sizeof on), 0);
  int value = 5;
  socklen_t length = sizeof value;
  errno = EOPNOTSUPP;
  EXPECT_EQ(tcp_.option_got(-1, kFd, IPPROTO_TCP, TCP_QUICKACK, &value, &length), 0);
  EXPECT_EQ(value, 0);
  EXPECT_THAT(stream_.options, IsEmpty()) << "none of SCTP's";
}

TEST_F(TcpCompatibilityTest, OptionsOfTcpHaveAnswers) {
  tcp_info info;
  std::memset(&info, 0xff, sizeof info);
  socklen_t length = sizeof info;
  errno = EOPNOTSUPP;
  EXPECT_EQ(tcp_.option_got(-1, kFd, IPPROTO_TCP, TCP_INFO, &info, &length), 0);
  EXPECT_EQ(info.tcpi_state, TCP_ESTABLISHED);
  int segment = 0;
  length = sizeof segment;
  errno = ENOPROTOOPT;
  EXPECT_EQ(tcp_.option_got(-1, kFd, IPPROTO_TCP, TCP_MAXSEG, &segment, &length), 0);
  EXPECT_EQ(segment, 1448);
  std::array<char, 2> name{};
  length = name.size();
  errno = ENOPROTOOPT;
  EXPECT_EQ(tcp_.option_got(-1, kFd, IPPROTO_TCP, TCP_CONGESTION, name.data(), &length), 0);
  EXPECT_EQ(std::string(name.data(), length), "re");
}

TEST_F(TcpCompatibilityTest, TheProtocolIsTcp) {
  int protocol = IPPROTO_SCTP;
  socklen_t length = sizeof protocol;
  EXPECT_EQ(tcp_.option_got(0, kFd, SOL_SOCKET, SO_PROTOCOL, &protocol, &length), 0);
  EXPECT_EQ(protocol, IPPROTO_TCP);
  profile(BundleTransport::kTcp);
  protocol = IPPROTO_SCTP;
  EXPECT_EQ(tcp_.option_got(0, kFd, SOL_SOCKET, SO_PROTOCOL, &protocol, &length), 0);
  EXPECT_EQ(protocol, IPPROTO_SCTP);
}

TEST_F(TcpCompatibilityTest, WritesPayOnlyWhereThePlanInForceHasSctp) {
  EXPECT_FALSE(tcp_.rules_out_sctp()) << "not known yet";
  EXPECT_TRUE(tcp_.may_be_sctp());
  EXPECT_FALSE(tcp_.rules_out_sctp());
  profile(BundleTransport::kTcp);
  EXPECT_FALSE(tcp_.rules_out_sctp()) << "not known of this plan";
  EXPECT_FALSE(tcp_.may_be_sctp());
  EXPECT_TRUE(tcp_.rules_out_sctp());
  profile(BundleTransport::kSctp);
  EXPECT_FALSE(tcp_.rules_out_sctp());
  EXPECT_TRUE(tcp_.may_be_sctp());
}

TEST_F(TcpCompatibilityTest, WithoutAPlanNothingIsSctp) {
  const CurrentPlan none;
  const TcpCompatibility tcp{stream_.symbols, stream_.system, none};
  EXPECT_TRUE(tcp.rules_out_sctp());
  EXPECT_FALSE(tcp.may_be_sctp());
}

TEST_F(TcpCompatibilityTest, ThePeerIsTheOneThatDataIsSentTo) {
  sockaddr_in peer{};
  socklen_t length = sizeof peer;
  tcp_.correct_peer(kFd, reinterpret_cast<sockaddr*>(&peer), sizeof peer, &length);
  EXPECT_EQ(length, sizeof peer);
  EXPECT_EQ(ntohl(peer.sin_addr.s_addr), 0x0a000001u);
  EXPECT_EQ(ntohs(peer.sin_port), 80);
}

}  // namespace
}  // namespace px::shim
