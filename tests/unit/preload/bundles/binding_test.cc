// SPDX-License-Identifier: MIT
// bind, accept, getsockname and getpeername of bundles, on the kernel's own sockets: every address
// in 127.0.0.0/8 is the host's.
#include "preload/bundles/binding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "libbundle/core/layout.h"
#include "preload/bundles/accepting.h"
#include "preload/bundles/socket_addresses.h"
#include "tests/unit/preload/shim_session.h"

namespace px::shim {
namespace {

using testing::ElementsAre;

struct Name {
  int result = 0;
  socklen_t length = 0;
  alignas(sockaddr_bundle) std::array<unsigned char, sizeof(sockaddr_bundle)> bytes{};

  const sockaddr* address() const { return reinterpret_cast<const sockaddr*>(bytes.data()); }
  std::vector<std::string> members() const {
    std::vector<std::string> texts;
    std::array<char, bundle::kAddressTextSize> buffer;
    const auto found = bundle::bundle_from_sockaddr(address(), length);
    if (!found) return {"no bundle"};
    for (const auto& member : found->members()) {
      texts.emplace_back(bundle::address_text(member.address, buffer));
    }
    return texts;
  }
  std::uint16_t port() const {
    return ntohs(reinterpret_cast<const sockaddr_in*>(&bytes)->sin_port);
  }
};

class BundleBindingTest : public testing::Test {
 protected:
  BundleBindingTest() {
    broker_.plan.publish_bundles(plan::kDefaultBundleSettings);
    EXPECT_TRUE(shim_.session.ensure_session());
    server_ = made();
  }
  ~BundleBindingTest() override {
    for (const int fd : open_) ::close(fd);
  }

  int made(int domain = AF_INET6, int type = SOCK_STREAM, int protocol = 0) {
    const int fd = ::socket(domain, type | SOCK_NONBLOCK, protocol);
    EXPECT_GE(fd, 0);
    const int off = 0;
    if (domain == AF_INET6) ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    fds_->forget(fd);
    fds_->set(fd, fresh_socket(domain, type, protocol));
    fds_->set_notes(fd, {.role = BundleRole::kBundle});
    open_.push_back(fd);
    return fd;
  }

  static bundle::Bundle set_of(const std::vector<std::string>& members, std::uint16_t port = 0) {
    bundle::Bundle set;
    for (const auto& member : members) {
      set.endpoints[set.count++] = {.address = address(member), .port = port};
    }
    return set;
  }

  // 0 or the errno.
  int bind(int fd, const std::vector<std::string>& members, std::uint16_t port = 0) {
    sockaddr_bundle made;
    const socklen_t length =
        bundle::sockaddr_from_bundle(set_of(members, port), &made, sizeof made);
    const auto* address = reinterpret_cast<const sockaddr*>(&made);
    EXPECT_TRUE(binding_.takes(fd, read_call_address(address, length)));
    errno = 4711;
    if (binding_.bind(fd, read_call_address(address, length)) != 0) return errno;
    EXPECT_EQ(errno, 4711);
    return 0;
  }

  Name name(int fd, socklen_t room = sizeof(sockaddr_bundle)) {
    Name name{.length = room};
    name.result =
        addresses_.getsockname(fd, reinterpret_cast<sockaddr*>(name.bytes.data()), &name.length);
    return name;
  }
  Name peer(int fd) {
    Name name{.length = sizeof name.bytes};
    name.result =
        addresses_.getpeername(fd, reinterpret_cast<sockaddr*>(name.bytes.data()), &name.length);
    return name;
  }

  int call(const std::string& destination, std::uint16_t port) {
    const auto target = address(destination);
    const sa_family_t family = target.is_ipv4() ? AF_INET : AF_INET6;
    const int fd = ::socket(family, SOCK_STREAM, 0);
    open_.push_back(fd);
    sockaddr_storage storage;
    const socklen_t length =
        bundle::sockaddr_from_endpoint({.address = target, .port = port}, family, &storage);
    return ::connect(fd, reinterpret_cast<const sockaddr*>(&storage), length) == 0 ? fd : -errno;
  }

  // The accepted descriptor, or the negative errno; who called in `caller_`.
  int accept(int fd) {
    caller_ = {.length = sizeof caller_.bytes};
    const int accepted = accepting_.accept(fd, reinterpret_cast<sockaddr*>(caller_.bytes.data()),
                                           &caller_.length, std::nullopt);
    if (accepted < 0) return -errno;
    open_.push_back(accepted);
    return accepted;
  }

  static bool is_hung_up(int fd) {
    pollfd wait{.fd = fd, .events = POLLIN, .revents = 0};
    return ::poll(&wait, 1, 5000) == 1 && (wait.revents & (POLLHUP | POLLERR)) != 0;
  }

  Symbols libc_;
  TestBroker broker_;
  std::unique_ptr<FdTable> fds_ = std::make_unique<FdTable>();
  StartedSession shim_;
  std::unique_ptr<BundleCache> cache_ = std::make_unique<BundleCache>();
  std::unique_ptr<ListenerFilters> listener_filters_ =
      std::make_unique<ListenerFilters>(kBareSystemCalls, *fds_);
  BundleBinding binding_{libc_, kBareSystemCalls, *fds_, shim_.plan, *cache_, *listener_filters_};
  BundleAccepting accepting_{libc_, kBareSystemCalls, *fds_, *listener_filters_};
  SocketAddresses addresses_{libc_, kBareSystemCalls, *fds_, *listener_filters_};
  Name caller_;
  std::vector<int> open_;
  int server_ = -1;
};

TEST_F(BundleBindingTest, ASocketHasWhatItIsBoundTo) {
  ASSERT_EQ(bind(server_, {"127.0.0.2", "::1", "127.0.0.3"}), 0);
  const Name bound = name(server_);
  EXPECT_THAT(bound.members(), ElementsAre("127.0.0.2", "::1", "127.0.0.3"));
  EXPECT_NE(bound.port(), 0);
  EXPECT_EQ(fds_->get(server_).kind, FdKind::kPortBound);
}

TEST_F(BundleBindingTest, OnlyCallsToTheSetAreAccepted) {
  ASSERT_EQ(bind(server_, {"127.0.0.2", "::1"}), 0);
  ASSERT_EQ(::listen(server_, 8), 0);
  const std::uint16_t port = name(server_).port();
  const bool filtered = listener_filters_->find(server_)->in_kernel;
  int foreign = -1;
  if (!filtered) {  // whose calls are answered, and hung up on
    foreign = call("127.0.0.1", port);
    ASSERT_GE(foreign, 0);
    EXPECT_EQ(accept(server_), -EAGAIN);
    EXPECT_TRUE(is_hung_up(foreign));
    ASSERT_GE(call("127.0.0.9", port), 0);
  }
  const int ipv4 = call("127.0.0.2", port);
  ASSERT_GE(ipv4, 0);
  EXPECT_GE(accept(server_), 0);
  ASSERT_GE(call("::1", port), 0);
  EXPECT_GE(accept(server_), 0);
  EXPECT_EQ(accept(server_), -EAGAIN);
}

TEST_F(BundleBindingTest, WhatIsAcceptedHasPlainAddresses) {
  ASSERT_EQ(bind(server_, {"127.0.0.2", "::1"}), 0);
  ASSERT_EQ(::listen(server_, 8), 0);
  const std::uint16_t port = name(server_).port();
  ASSERT_GE(call("127.0.0.2", port), 0);
  int accepted = accept(server_);
  ASSERT_GE(accepted, 0);
  EXPECT_EQ(caller_.address()->sa_family, AF_INET);
  EXPECT_EQ(caller_.length, sizeof(sockaddr_in));
  EXPECT_EQ(name(accepted).address()->sa_family, AF_INET);
  EXPECT_EQ(name(accepted).port(), port);
  EXPECT_EQ(peer(accepted).port(), caller_.port());
  ASSERT_GE(call("::1", port), 0);
  accepted = accept(server_);
  EXPECT_EQ(caller_.address()->sa_family, AF_INET6);
  EXPECT_EQ(peer(accepted).length, sizeof(sockaddr_in6));
}

TEST_F(BundleBindingTest, WhoDoesNotAskWhoCalledIsNotTold) {
  ASSERT_EQ(bind(server_, {"127.0.0.2", "127.0.0.3"}), 0);
  ASSERT_EQ(::listen(server_, 8), 0);
  ASSERT_GE(call("127.0.0.3", name(server_).port()), 0);
  const int accepted = accepting_.accept(server_, nullptr, nullptr, SOCK_CLOEXEC);
  ASSERT_GE(accepted, 0);
  open_.push_back(accepted);
  EXPECT_EQ(fds_->notes(accepted).role, BundleRole::kAccepted);
}

TEST_F(BundleBindingTest, TheOtherFamilysPortStaysFree) {
  ASSERT_EQ(bind(server_, {"127.0.0.2", "127.0.0.3"}), 0);
  const std::uint16_t port = name(server_).port();
  const int second = made();
  EXPECT_EQ(bind(second, {"::1", "::"}, port), 0);
  EXPECT_EQ(bind(made(), {"127.0.0.4", "127.0.0.5"}, port), EADDRINUSE);
}

TEST_F(BundleBindingTest, WhatIsNotTheHostsIsRefusedAndNothingIsBound) {
  EXPECT_EQ(bind(server_, {"127.0.0.2", "203.0.113.9"}), EADDRNOTAVAIL);
  EXPECT_EQ(bind(server_, {"2001:db8::9", "127.0.0.2"}), EADDRNOTAVAIL);
  EXPECT_EQ(name(server_).port(), 0);
  EXPECT_EQ(bind(server_, {"127.0.0.2", "127.0.0.3"}), 0);
}

TEST_F(BundleBindingTest, ASecondBindChangesNothing) {
  ASSERT_EQ(bind(server_, {"127.0.0.2", "127.0.0.3"}), 0);
  EXPECT_EQ(bind(server_, {"127.0.0.4", "127.0.0.5"}), EINVAL);
  EXPECT_THAT(name(server_).members(), ElementsAre("127.0.0.2", "127.0.0.3"));
}

TEST_F(BundleBindingTest, APortInUseLeavesTheSocketAsItWas) {
  ASSERT_EQ(bind(server_, {"127.0.0.2", "::1"}), 0);
  const int second = made();
  EXPECT_EQ(bind(second, {"::1", "::"}, name(server_).port()), EADDRINUSE);
  EXPECT_EQ(fds_->notes(second).role, BundleRole::kBundle);
  EXPECT_EQ(fds_->get(second).kind, FdKind::kFresh);
  int only = -1;
  socklen_t length = sizeof only;
  ::getsockopt(second, IPPROTO_IPV6, IPV6_V6ONLY, &only, &length);
  EXPECT_EQ(only, 0);
}

TEST_F(BundleBindingTest, OneAddressIsBoundAsItIs) {
  ASSERT_EQ(bind(server_, {"127.0.0.2"}), 0);
  EXPECT_EQ(fds_->get(server_).kind, FdKind::kOwned);
  EXPECT_TRUE(listener_filters_->empty());
  EXPECT_THAT(name(server_).members(), ElementsAre("127.0.0.2"));
}

TEST_F(BundleBindingTest, AnIpv4AddressIsBoundOnAnIpv6Socket) {
  sockaddr_in in{};
  in.sin_family = AF_INET;
  in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const auto* address = reinterpret_cast<const sockaddr*>(&in);
  ASSERT_TRUE(binding_.takes(server_, read_call_address(address, sizeof in)));
  ASSERT_EQ(binding_.bind(server_, read_call_address(address, sizeof in)), 0);
  EXPECT_THAT(name(server_).members(), ElementsAre("127.0.0.1"));
}

TEST_F(BundleBindingTest, AnAddressOfABoundBundleIsInUseWhileThatIsOpen) {
  ASSERT_EQ(bind(server_, {"127.0.0.2", "127.0.0.3"}), 0);
  const std::uint16_t port = name(server_).port();
  const int bundles = made();
  ASSERT_EQ(bind(bundles, {"::1", "::"}, port), 0);
  sockaddr_storage storage;
  const socklen_t length =
      bundle::sockaddr_from_endpoint({.address = address("::1"), .port = port}, AF_INET6, &storage);
  const auto* single = reinterpret_cast<const sockaddr*>(&storage);
  const int stream = ::socket(AF_INET6, SOCK_STREAM, 0);
  const int datagrams = ::socket(AF_INET6, SOCK_DGRAM, 0);
  open_.insert(open_.end(), {stream, datagrams});
  EXPECT_FALSE(binding_.takes(datagrams, read_call_address(single, length)));
  ASSERT_TRUE(binding_.takes(stream, read_call_address(single, length)));
  EXPECT_EQ(binding_.bind(stream, read_call_address(single, length)), -1);
  EXPECT_EQ(errno, EADDRINUSE);
  std::erase(open_, bundles);
  ::close(bundles);
  EXPECT_FALSE(binding_.takes(stream, read_call_address(single, length)));
}

TEST_F(BundleBindingTest, WhatCannotTakeABundleSaysSo) {
  EXPECT_EQ(bind(made(AF_INET), {"127.0.0.2", "::1"}), EAFNOSUPPORT);
  EXPECT_EQ(bind(made(AF_INET), {"127.0.0.2", "127.0.0.3"}), 0);
  EXPECT_EQ(bind(made(AF_INET6, SOCK_DGRAM), {"127.0.0.2", "127.0.0.3"}), EAFNOSUPPORT);
  EXPECT_EQ(bind(made(AF_UNIX), {"127.0.0.2", "127.0.0.3"}), EAFNOSUPPORT);
  sockaddr_bundle bad{};
  bad.sb_family = AF_BUNDLE;
  EXPECT_EQ(
      binding_.bind(server_, read_call_address(reinterpret_cast<sockaddr*>(&bad), sizeof bad)), -1);
  EXPECT_EQ(errno, EINVAL);
  EXPECT_EQ(binding_.bind(-1, read_call_address(reinterpret_cast<sockaddr*>(&bad), sizeof bad)),
            -1);
  EXPECT_EQ(errno, EBADF);
}

TEST_F(BundleBindingTest, OrdinaryCallsAreNotTaken) {
  const int fd = made();
  fds_->set_notes(fd, {});
  sockaddr_in in{};
  in.sin_family = AF_INET;
  EXPECT_FALSE(binding_.takes(fd, read_call_address(reinterpret_cast<sockaddr*>(&in), sizeof in)));
  EXPECT_FALSE(binding_.takes(fd, read_call_address(nullptr, 0)));
  broker_.plan.publish_bundles({});
  sockaddr_bundle off{};
  off.sb_family = AF_BUNDLE;
  EXPECT_FALSE(
      binding_.takes(fd, read_call_address(reinterpret_cast<sockaddr*>(&off), sizeof off)));
}

TEST_F(BundleBindingTest, AnswersAreCutAsTheKernelCutsThem) {
  std::vector<std::string> many;
  for (int i = 1; i <= 16; ++i) many.push_back("127.0.0." + std::to_string(i));
  ASSERT_EQ(bind(server_, many), 0);
  EXPECT_EQ(name(server_).length, 12u + 16 * 16);
  EXPECT_THAT(name(server_).members(), testing::SizeIs(16));
  const Name usual = name(server_, sizeof(sockaddr_storage));
  EXPECT_EQ(usual.length, 12u + 6 * 16);
  EXPECT_EQ(reinterpret_cast<const sockaddr_bundle*>(&usual.bytes)->sb_flags, BUNDLE_TRUNCATED);
  const Name cut = name(server_, 4);
  EXPECT_EQ(cut.length, usual.length);
  EXPECT_EQ(cut.port(), usual.port());
  EXPECT_EQ(cut.bytes[4], 0);
}

TEST_F(BundleBindingTest, ACopyIsBoundToTheSame) {
  ASSERT_EQ(bind(server_, {"127.0.0.2", "127.0.0.3"}), 0);
  ASSERT_EQ(::listen(server_, 8), 0);
  const int copy = ::dup(server_);
  open_.push_back(copy);
  fds_->forget(copy);  // as one that was received in a message
  ASSERT_GE(call("127.0.0.3", name(server_).port()), 0);
  EXPECT_GE(accept(copy), 0);
  EXPECT_EQ(fds_->notes(copy).role, BundleRole::kBound);
}

TEST_F(BundleBindingTest, AFullTableRefuses) {
  for (std::size_t i = 0; i < ListenerFilters::kSize; ++i) {
    ASSERT_EQ(bind(made(), {"127.0.0.2", "127.0.0.3"}), 0);
  }
  EXPECT_EQ(bind(server_, {"127.0.0.2", "127.0.0.3"}), ENOBUFS);
  EXPECT_EQ(fds_->notes(server_).role, BundleRole::kBundle);
}

TEST_F(BundleBindingTest, MptcpToo) {
  const int probe = ::socket(AF_INET6, SOCK_STREAM, IPPROTO_MPTCP);
  const int error = errno;
  if (probe < 0) {
    EXPECT_NE(error, EAFNOSUPPORT);
    return;  // a kernel without it: nothing makes such a socket
  }
  ::close(probe);
  const int server = made(AF_INET6, SOCK_STREAM, IPPROTO_MPTCP);
  ASSERT_EQ(bind(server, {"127.0.0.2", "::1"}), 0);
  ASSERT_EQ(::listen(server, 8), 0);
  EXPECT_FALSE(listener_filters_->find(server)->in_kernel);
  const std::uint16_t port = name(server).port();
  const int foreign = call("127.0.0.1", port);
  ASSERT_GE(call("127.0.0.2", port), 0);
  EXPECT_GE(accept(server), 0);
  EXPECT_TRUE(is_hung_up(foreign));
  EXPECT_EQ(accept(server), -EAGAIN);
}

}  // namespace
}  // namespace px::shim
