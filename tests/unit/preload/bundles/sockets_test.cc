// SPDX-License-Identifier: MIT
#include "preload/bundles/sockets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "libbundle/bundle.h"
#include "tests/unit/preload/shim_session.h"

namespace px::shim {
namespace {

using plan::BundleTransport;
using testing::ElementsAre;
using testing::IsEmpty;

// A kernel that makes what it was told to have, and says no to the rest.
struct FakeMaker {
  FakeMaker() {
    here = this;
    symbols.socket = [](int domain, int type, int protocol) {
      here->calls.push_back(std::to_string(domain) + " " + std::to_string(protocol));
      const auto error = here->errors.find(protocol);
      if (domain == AF_BUNDLE) return fail(EAFNOSUPPORT);
      if (error != here->errors.end()) return fail(error->second);
      return ::socket(AF_UNIX, type, 0);
    };
  }
  ~FakeMaker() { here = nullptr; }
  static int fail(int error) {
    errno = error;
    return -1;
  }

  static inline FakeMaker* here = nullptr;
  Symbols symbols;
  std::vector<std::string> calls;
  std::map<int, int> errors;  // by protocol
};

class BundleSocketsTest : public testing::Test {
 protected:
  BundleSocketsTest() { profile({BundleTransport::kTcp}); }
  ~BundleSocketsTest() override {
    for (const int fd : open_) ::close(fd);
  }

  void profile(std::vector<BundleTransport> transports, bool all_sockets = false) {
    plan::BundleSettings settings{};
    std::ranges::copy(transports, settings.transports);
    settings.all_sockets = all_sockets ? 1 : 0;
    broker_.plan.publish_bundles(settings);
    EXPECT_TRUE(shim_.session.ensure_session());
  }

  // The descriptor, or the negative errno.
  int make(int domain, int type, int protocol) {
    errno = 4711;
    const int fd = sockets_.socket(domain, type, protocol);
    if (fd < 0) return -errno;
    EXPECT_EQ(errno, 4711);
    open_.push_back(fd);
    return fd;
  }
  std::vector<std::string> take_calls() { return std::exchange(maker_.calls, {}); }

  FakeMaker maker_;
  TestBroker broker_;
  std::unique_ptr<FdTable> fds_ = std::make_unique<FdTable>();
  StartedSession shim_;
  KernelTransports transports_{maker_.symbols};
  BundleSockets sockets_{maker_.symbols, kBareSystemCalls, *fds_,
                         shim_.plan,     shim_.session,    transports_};
  std::vector<int> open_;
};

TEST_F(BundleSocketsTest, ABundlesSocketIsAnIpv6Stream) {
  const int fd = make(AF_BUNDLE, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_GE(fd, 0);
  EXPECT_THAT(take_calls(), ElementsAre("10 0"));
  EXPECT_EQ(fds_->get(fd), fresh_socket(AF_INET6, SOCK_STREAM, 0));
  EXPECT_EQ(fds_->notes(fd).role, BundleRole::kBundle);
}

TEST_F(BundleSocketsTest, TheFirstTransportThatTheKernelHasIsTaken) {
  profile({BundleTransport::kSctp, BundleTransport::kMptcp, BundleTransport::kTcp});
  maker_.errors = {{IPPROTO_SCTP, EPROTONOSUPPORT}};
  ASSERT_GE(make(AF_BUNDLE, SOCK_STREAM, 0), 0);
  EXPECT_THAT(take_calls(), ElementsAre("10 132", "10 262"));
}

TEST_F(BundleSocketsTest, ARefusalIsRemembered) {
  profile({BundleTransport::kSctp, BundleTransport::kMptcp, BundleTransport::kTcp});
  for (const int error : {ESOCKTNOSUPPORT, EINVAL, ENOPROTOOPT, EPERM}) {
    KernelTransports fresh(maker_.symbols);
    BundleSockets sockets(maker_.symbols, kBareSystemCalls, *fds_, shim_.plan, shim_.session,
                          fresh);
    maker_.errors = {{IPPROTO_SCTP, error}, {IPPROTO_MPTCP, error}};
    for (int i = 0; i < 2; ++i) open_.push_back(sockets.socket(AF_BUNDLE, SOCK_STREAM, 0));
    EXPECT_THAT(take_calls(), ElementsAre("10 132", "10 262", "10 0", "10 0")) << error;
  }
}

TEST_F(BundleSocketsTest, WhatTheProgramNamesIsAllItGets) {
  maker_.errors = {{IPPROTO_SCTP, EPROTONOSUPPORT}};
  EXPECT_EQ(make(AF_BUNDLE, SOCK_STREAM, IPPROTO_SCTP), -EPROTONOSUPPORT);
  EXPECT_GE(make(AF_BUNDLE, SOCK_STREAM, IPPROTO_MPTCP), 0);
  EXPECT_GE(make(AF_BUNDLE, SOCK_STREAM, IPPROTO_TCP), 0);
  EXPECT_THAT(take_calls(), ElementsAre("10 132", "10 262", "10 0"));
}

TEST_F(BundleSocketsTest, ThereAreStreamsOnly) {
  EXPECT_EQ(make(AF_BUNDLE, SOCK_DGRAM, 0), -EPROTONOSUPPORT);
  EXPECT_EQ(make(AF_BUNDLE, SOCK_STREAM, IPPROTO_UDP), -EPROTONOSUPPORT);
  EXPECT_THAT(take_calls(), IsEmpty());
}

TEST_F(BundleSocketsTest, WhereBundlesAreOffTheKernelIsAsked) {
  profile({});
  EXPECT_EQ(make(AF_BUNDLE, SOCK_STREAM, 0), -EAFNOSUPPORT);
  EXPECT_THAT(take_calls(), ElementsAre("230 0"));
}

TEST_F(BundleSocketsTest, AFailureOfAnotherKindIsTheProgramsToSee) {
  profile({BundleTransport::kSctp, BundleTransport::kTcp});
  maker_.errors = {{IPPROTO_SCTP, EMFILE}};
  EXPECT_EQ(make(AF_BUNDLE, SOCK_STREAM, 0), -EMFILE);
  EXPECT_THAT(take_calls(), ElementsAre("10 132"));
}

TEST_F(BundleSocketsTest, OrdinarySocketsAreLibcsOwn) {
  profile({BundleTransport::kMptcp, BundleTransport::kTcp});
  const int fd = make(AF_INET, SOCK_STREAM, 0);
  ASSERT_GE(fd, 0);
  EXPECT_THAT(take_calls(), ElementsAre("2 0"));
  EXPECT_EQ(fds_->get(fd), fresh_socket(AF_INET, SOCK_STREAM, 0));
  EXPECT_EQ(fds_->notes(fd), FdNotes{});
}

TEST_F(BundleSocketsTest, AllStreamsTakeTheFirstTransportWhereTheProfileSaysSo) {
  profile({BundleTransport::kSctp, BundleTransport::kMptcp, BundleTransport::kTcp}, true);
  maker_.errors = {{IPPROTO_SCTP, EPROTONOSUPPORT}};
  const int fd = make(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  ASSERT_GE(fd, 0);
  EXPECT_EQ(fds_->get(fd).transport, plan::Transport::kTcp);
  EXPECT_EQ(fds_->notes(fd).role, BundleRole::kNone);
  EXPECT_GE(make(AF_INET6, SOCK_STREAM, IPPROTO_TCP), 0);
  EXPECT_THAT(take_calls(), ElementsAre("2 132", "2 262", "10 262"));
}

TEST_F(BundleSocketsTest, WhatIsNoTcpStaysWhatItIs) {
  profile({BundleTransport::kMptcp, BundleTransport::kTcp}, true);
  EXPECT_GE(make(AF_INET, SOCK_DGRAM, 0), 0);
  EXPECT_GE(make(AF_INET, SOCK_STREAM, IPPROTO_SCTP), 0);
  EXPECT_GE(make(AF_UNIX, SOCK_STREAM, 0), 0);
  EXPECT_THAT(take_calls(), ElementsAre("2 0", "2 132", "1 0"));
}

TEST_F(BundleSocketsTest, WhatTheKernelHasIsFoundOutOnce) {
  maker_.errors = {{IPPROTO_SCTP, EPROTONOSUPPORT}};
  errno = 4711;
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(transports_.has(BundleTransport::kMptcp));
    EXPECT_FALSE(transports_.has(BundleTransport::kSctp));
    EXPECT_TRUE(transports_.has(BundleTransport::kTcp));
    EXPECT_FALSE(transports_.has(BundleTransport::kNone));
  }
  EXPECT_EQ(errno, 4711);
  EXPECT_THAT(take_calls(), ElementsAre("2 262", "2 132"));
}

}  // namespace
}  // namespace px::shim
