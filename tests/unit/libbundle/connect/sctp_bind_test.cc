// SPDX-License-Identifier: MIT
#include "libbundle/connect/sctp_bind.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <cerrno>
#include <map>
#include <string>
#include <vector>

#include "tests/unit/preload/shim_plan_fixture.h"

namespace px::bundle {
namespace {

using shim::address;
using testing::ElementsAre;

constexpr int kFd = 9;
constexpr int kTrial = 10;

// An SCTP socket with SO_REUSEADDR.
struct FakeSctp {
  FakeSctp() {
    here = this;
    system.socket = [](int domain, int, int protocol) {
      here->calls.push_back("socket " + std::to_string(domain) + " " + std::to_string(protocol));
      return kTrial;
    };
    system.close = [](int fd) {
      here->calls.push_back("close " + std::to_string(fd));
      return 0;
    };
    system.getsockopt = [](int fd, int, int name, void* value, socklen_t*) {
      EXPECT_EQ(fd, kFd);
      const std::map<int, int> values = {{SO_DOMAIN, AF_INET6}, {SO_REUSEADDR, 1}};
      const auto found = values.find(name);
      *static_cast<int*>(value) = found == values.end() ? 0 : found->second;
      return 0;
    };
    system.setsockopt = [](int fd, int level, int name, const void* value, socklen_t length) {
      if (level == SOL_SOCKET) {
        here->calls.push_back("option " + std::to_string(name) + " of " + std::to_string(fd));
        return 0;
      }
      EXPECT_EQ(level, 132);
      EXPECT_EQ(name, 100);
      here->calls.push_back("bindx " + std::to_string(fd));
      here->bytes.assign(static_cast<const char*>(value), length);
      if (here->error == 0 || fd != here->failing) return 0;
      errno = here->error;
      return -1;
    };
  }
  ~FakeSctp() { here = nullptr; }

  static inline FakeSctp* here = nullptr;
  SystemCalls system;
  std::vector<std::string> calls;
  std::string bytes;
  int error = 0;
  int failing = kTrial;
};

Bundle mixed() {
  Bundle set;
  set.endpoints[0] = {.address = address("10.0.0.1"), .port = 80};
  set.endpoints[1] = {.address = address("fd00::1"), .port = 80};
  set.count = 2;
  return set;
}

TEST(SctpBind, BindsToTheSetAfterATrial) {
  FakeSctp kernel;
  EXPECT_EQ(sctp_bind(kernel.system, kFd, mixed()), 0);
  EXPECT_THAT(kernel.calls,
              ElementsAre("socket 10 132", "option 2 of 10", "bindx 10", "close 10", "bindx 9"));
  ASSERT_EQ(kernel.bytes.size(), 16u + 28u);
  sockaddr_in first;
  std::memcpy(&first, kernel.bytes.data(), sizeof first);
  EXPECT_EQ(first.sin_family, AF_INET);
  EXPECT_EQ(ntohs(first.sin_port), 80);
  sockaddr_in6 second;
  std::memcpy(&second, kernel.bytes.data() + 16, sizeof second);
  EXPECT_EQ(second.sin6_family, AF_INET6);
  EXPECT_EQ(ntohs(second.sin6_port), 80);
}

TEST(SctpBind, WhatFailsDoesNotTouchTheProgramsSocket) {
  FakeSctp kernel;
  kernel.error = EADDRNOTAVAIL;
  EXPECT_EQ(sctp_bind(kernel.system, kFd, mixed()), EADDRNOTAVAIL);
  EXPECT_THAT(kernel.calls, ElementsAre("socket 10 132", "option 2 of 10", "bindx 10", "close 10"));
}

TEST(SctpBind, SomebodyMayHaveBeenFaster) {
  FakeSctp kernel;
  kernel.error = EADDRINUSE;
  kernel.failing = kFd;
  EXPECT_EQ(sctp_bind(kernel.system, kFd, mixed()), EADDRINUSE);
}

}  // namespace
}  // namespace px::bundle
