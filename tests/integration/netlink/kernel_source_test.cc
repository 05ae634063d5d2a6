// SPDX-License-Identifier: MIT
// What snapshots say about sources, against what the kernel does with sockets.
#include <gtest/gtest.h>
#include <net/if.h>
#include <sys/socket.h>

#include <optional>
#include <string>
#include <string_view>

#include "tests/integration/broker/host/watcher_fixture.h"
#include "util/fd.h"

namespace px::broker {
namespace {

// The source that the kernel gives a socket that is bound to the interface alone, and marked.
std::optional<Address> kernels_choice(const char* interface, std::string_view destination,
                                      std::uint32_t mark = 0) {
  sockaddr_storage storage{};
  const sa_family_t family = addr(destination).is_ipv4() ? AF_INET : AF_INET6;
  socklen_t length = bundle::sockaddr_from_endpoint({addr(destination), 9}, family, &storage);
  const Fd fd(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (::setsockopt(fd.get(), SOL_SOCKET, SO_BINDTODEVICE, interface, IFNAMSIZ) != 0 ||
      ::setsockopt(fd.get(), SOL_SOCKET, SO_MARK, &mark, sizeof mark) != 0 ||
      ::connect(fd.get(), reinterpret_cast<sockaddr*>(&storage), length) != 0) {
    return std::nullopt;
  }
  length = sizeof storage;
  ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&storage), &length);
  return bundle::endpoint_from_sockaddr(reinterpret_cast<sockaddr*>(&storage), length)->address;
}

// Through the interface's own router.
std::optional<Address> said_choice(const Snapshot& snapshot, std::string_view interface,
                                   bool ipv4) {
  for (const Entry& entry : snapshot.entries) {
    if (entry.interface == interface && entry.kernel_source && entry.default_next_hop &&
        entry.source.is_ipv4() == ipv4) {
      return entry.source;
    }
  }
  return std::nullopt;
}

std::optional<Address> said_choice_through(const Snapshot& snapshot, const Address& router) {
  for (const Entry& entry : snapshot.entries) {
    if (entry.kernel_source && entry.next_hop == router) return entry.source;
  }
  return std::nullopt;
}

using KernelSourceTest = WatcherTest;

TEST_F(KernelSourceTest, IsWhatTheKernelTakes) {
  ip("address add 203.0.113.10/24 dev eth0");
  ip("address add 192.0.2.11/24 dev eth0");
  ip("address add 203.0.113.20/24 dev eth1");
  ip("route add default via 203.0.113.1 dev eth1 metric 50");
  add_link("eth2");
  ip("route add default dev eth2 metric 400");
  for (const char* address : {"fd00::10", "2001:db8::10", "2001:db8::11"}) {
    ip(std::string("address add ") + address + "/64 dev eth0 nodad");
  }
  ip("address add 2001:db8::12/64 dev eth0 nodad preferred_lft 0");
  ip("route add default via fe80::1 dev eth0");
  ip("route add default dev eth2 metric 2000");
  start();
  for (const char* interface : {"eth0", "eth1", "eth2"}) {
    const auto taken = kernels_choice(interface, "8.8.8.8");
    ASSERT_TRUE(taken);
    EXPECT_EQ(said_choice(now_, interface, true), taken) << interface << describe();
  }
  for (const char* interface : {"eth0"}) {
    const auto taken = kernels_choice(interface, "2600::1");
    ASSERT_TRUE(taken);
    EXPECT_EQ(said_choice(now_, interface, false), taken) << interface << describe();
  }
  // Another router takes a table of its own, and so another source.
  ip("rule add fwmark 7 lookup 77");
  ip("route add default via 198.51.100.1 dev eth1 table 77");
  EXPECT_EQ(said_choice_through(now_, addr("198.51.100.1")), addr("198.51.100.10"));
  EXPECT_EQ(kernels_choice("eth1", "8.8.8.8", 7), addr("198.51.100.10"));
  ip("route replace default via 192.0.2.1 dev eth0 metric 100 src 192.0.2.11");
  EXPECT_TRUE(comes([&] { return said_choice(now_, "eth0", true) == addr("192.0.2.11"); }));
  EXPECT_EQ(kernels_choice("eth0", "8.8.8.8"), addr("192.0.2.11"));
}

// One of a link that is down included: its entries elsewhere stay usable.
TEST_F(KernelSourceTest, ValidSourcesCanBeBound) {
  ip("link set eth1 down");
  start();
  int bound = 0;
  for (const Entry& entry : now_.entries) {
    sockaddr_storage storage{};
    const socklen_t length = bundle::sockaddr_from_endpoint({entry.source}, AF_INET, &storage);
    const Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_TRUE(entry.source_valid) << describe();
    EXPECT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&storage), length), 0) << describe();
    ++bound;
  }
  EXPECT_EQ(bound, 4);
}

}  // namespace
}  // namespace px::broker
