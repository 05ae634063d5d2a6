// SPDX-License-Identifier: MIT
// px's routing tables in a real kernel, in a network namespace of each test's own. Single-threaded.
//
//   eth0 192.0.2.10/24, 2001:db8::10/64, router .1, the default    eth1 198.51.100.10/24
//     |                                                              |
//   eth0-peer, no addresses                                        eth1-peer, no addresses
#pragma once

#include <gtest/gtest.h>
#include <net/if.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <optional>
#include <string>

#include "broker/host/own_routing.h"
#include "broker/routing/program_socket.h"
#include "broker/routing/routing.h"
#include "netlink/kernel_state_dump.h"
#include "tests/integration/support/network_namespace.h"
#include "util/fd.h"

namespace px::broker {

inline constexpr std::uint32_t kMask = 0xff000000;
inline constexpr char kNoRoute[] = "no route";

inline void ip(const std::string& arguments) {
  ASSERT_TRUE(test::run_program("ip " + arguments)) << arguments;
}

inline bundle::Address addr(const char* text) {
  return bundle::address_from_text(text).value();
}

inline std::uint64_t cookie_of(int socket) {
  std::uint64_t cookie = 0;
  socklen_t length = sizeof cookie;
  getsockopt(socket, SOL_SOCKET, 71, &cookie, &length);
  return cookie;
}

class RoutingTest : public testing::Test {
 protected:
  void SetUp() override {
    const std::string missing = test::enter_new_network_namespace();
    if (!missing.empty()) GTEST_SKIP() << missing;
    std::string pattern = testing::TempDir() + "px-routing-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
    ip("link set lo up");
    for (const char* name : {"eth0", "eth1"}) {
      ip(std::string("link add ") + name + " type veth peer name " + name + "-peer");
      // The kernel's own addresses would come, with routes, in the middle of a test.
      for (const std::string& end : {std::string(name), std::string(name) + "-peer"}) {
        ip("link set " + end + " addrgenmode none");
        ip("link set " + end + " up");
      }
    }
    ip("address add 192.0.2.10/24 dev eth0");
    ip("address add 2001:db8::10/64 dev eth0 nodad");
    ip("address add 198.51.100.10/24 dev eth1");
    ip("route add default via 192.0.2.1 dev eth0");
    ip("route add ::/0 via 2001:db8::1 dev eth0");
    open();
  }

  void TearDown() override {
    if (!directory_.empty()) std::filesystem::remove_all(directory_);
  }

  void open(bool cleans_up = true) {
    routing_.reset();
    auto opened = Routing::open(directory_, cleans_up);
    ASSERT_TRUE(opened) << opened.error().message;
    routing_.emplace(std::move(*opened));
  }

  Marks put(const RoutingDemand& demand, std::uint32_t mask = kMask) {
    const auto marks = routing_->prepare(demand, mask);
    EXPECT_TRUE(marks) << marks.error().message;
    const auto retired = routing_->retire();
    EXPECT_TRUE(retired) << retired.error().message;
    return marks.value_or(Marks{});
  }

  static RoutingState in_kernel() { return found_state(netlink::read_kernel_state().value()); }

  static std::uint32_t index(const char* name) { return if_nametoindex(name); }

  // The source that a datagram socket with this mark gets; or what the kernel says instead.
  static std::string source_of(std::uint32_t mark, const char* destination) {
    const bundle::Endpoint to{addr(destination), 53, 0};
    sockaddr_storage address{};
    const sa_family_t family = to.address.is_ipv4() ? AF_INET : AF_INET6;
    const socklen_t length = bundle::sockaddr_from_endpoint(to, family, &address);
    const Fd socket(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    EXPECT_TRUE(set_socket_mark(socket.get(), mark, kMask, cookie_of(socket.get())));
    if (connect(socket.get(), reinterpret_cast<sockaddr*>(&address), length) != 0) {
      // A table's guard and a rule's say it differently.
      return errno == EHOSTUNREACH || errno == ENETUNREACH ? kNoRoute : std::strerror(errno);
    }
    sockaddr_storage local{};
    socklen_t size = sizeof local;
    getsockname(socket.get(), reinterpret_cast<sockaddr*>(&local), &size);
    std::array<char, bundle::kAddressTextSize> text{};
    const auto from = bundle::endpoint_from_sockaddr(reinterpret_cast<sockaddr*>(&local), size);
    return std::string(bundle::address_text(from->address, text));
  }

  RoutingDemand through_eth1() const {
    const TableRoute route{index("eth1"), addr("198.51.100.1"), true};
    return {{{"eth1 198.51.100.1", route, std::nullopt}}, {}};
  }

  std::filesystem::path directory_;
  std::optional<Routing> routing_;
};

inline constexpr char kEth0[] = "192.0.2.10";
inline constexpr char kEth1[] = "198.51.100.10";
inline constexpr char kFar[] = "203.0.113.80";
inline constexpr char kFar6[] = "2001:db8:80::80";

}  // namespace px::broker
