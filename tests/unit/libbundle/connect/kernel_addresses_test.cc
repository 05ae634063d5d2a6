// SPDX-License-Identifier: MIT
#include "libbundle/connect/kernel_addresses.h"

#include <gtest/gtest.h>
#include <netinet/in.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "tests/unit/preload/shim_plan_fixture.h"

namespace px::bundle {
namespace {

using shim::address;

// A socket of one protocol, and what the kernel writes about its addresses.
struct FakeSocket {
  FakeSocket() {
    here = this;
    system.getsockopt = [](int, int level, int name, void* value, socklen_t* length) {
      if (level == SOL_SOCKET) {
        EXPECT_EQ(name, SO_PROTOCOL);
        *static_cast<int*>(value) = here->protocol;
        return 0;
      }
      here->asked = {level, name};
      std::int32_t association = 0;
      std::memcpy(&association, value, sizeof association);
      here->associations.push_back(association);
      if (here->answer.empty() || (association != 0 && here->unconnected)) {
        errno = here->answer.empty() ? EOPNOTSUPP : EINVAL;
        return -1;
      }
      EXPECT_GE(*length, here->answer.size());
      std::memcpy(value, here->answer.data(), here->answer.size());
      *length = static_cast<socklen_t>(here->answer.size());
      return 0;
    };
  }
  ~FakeSocket() { here = nullptr; }

  void add(const void* bytes, std::size_t size) {
    const auto* begin = static_cast<const unsigned char*>(bytes);
    answer.insert(answer.end(), begin, begin + size);
  }
  void add_number(std::uint32_t number) { add(&number, sizeof number); }
  void add_address(const char* text, sa_family_t family, std::size_t size = 0) {
    sockaddr_storage storage{};
    const socklen_t length =
        sockaddr_from_endpoint({.address = address(text), .port = 80}, family, &storage);
    add(&storage, size == 0 ? length : size);
  }

  static inline FakeSocket* here = nullptr;
  SystemCalls system;
  int protocol = IPPROTO_TCP;
  std::vector<unsigned char> answer;
  std::pair<int, int> asked;
  std::vector<std::int32_t> associations;
  bool unconnected = false;
};

TEST(KernelAddresses, OfAnAssociation) {
  FakeSocket socket;
  socket.protocol = IPPROTO_SCTP;
  socket.add_number(0);
  socket.add_number(3);
  socket.add_address("10.0.0.1", AF_INET);
  socket.add_address("fd00::1", AF_INET6);
  socket.add_address("10.0.0.2", AF_INET6);
  const Bundle peers = kernel_addresses(socket.system, 9, Side::kPeer);
  EXPECT_EQ(socket.asked, std::pair(132, 108));
  ASSERT_EQ(peers.count, 3u);
  EXPECT_EQ(peers.endpoints[0].address, address("10.0.0.1"));
  EXPECT_EQ(peers.endpoints[1].address, address("fd00::1"));
  EXPECT_EQ(peers.endpoints[2].address, address("10.0.0.2"));
  EXPECT_EQ(peers.endpoints[2].port, 80);
  (void)kernel_addresses(socket.system, 9, Side::kOwn);
  EXPECT_EQ(socket.asked, std::pair(132, 109));
  // Association 0 would be the socket itself, which may be bound to all addresses of the host.
  EXPECT_EQ(socket.associations, (std::vector<std::int32_t>{1, 1}));
  socket.unconnected = true;
  EXPECT_EQ(kernel_addresses(socket.system, 9, Side::kOwn).count, 3u);
  EXPECT_EQ(socket.associations.back(), 0);
}

TEST(KernelAddresses, OfSubflows) {
  FakeSocket socket;
  socket.protocol = IPPROTO_MPTCP;
  for (const std::uint32_t number : {16u, 3u, 256u, 256u}) socket.add_number(number);
  for (const char* peer : {"10.0.0.1", "10.0.0.2", "10.0.0.1"}) {
    socket.add_address("192.168.1.2", AF_INET, sizeof(sockaddr_storage));
    socket.add_address(peer, AF_INET, sizeof(sockaddr_storage));
  }
  const Bundle peers = kernel_addresses(socket.system, 9, Side::kPeer);
  ASSERT_EQ(peers.count, 2u);
  EXPECT_EQ(peers.endpoints[1].address, address("10.0.0.2"));
  EXPECT_EQ(kernel_addresses(socket.system, 9, Side::kOwn).count, 1u);
}

TEST(KernelAddresses, OfNothingElse) {
  FakeSocket socket;
  EXPECT_EQ(kernel_addresses(socket.system, 9, Side::kOwn).count, 0u);
  socket.protocol = IPPROTO_MPTCP;  // fallen back
  EXPECT_EQ(kernel_addresses(socket.system, 9, Side::kOwn).count, 0u);
  socket.protocol = IPPROTO_SCTP;
  EXPECT_EQ(kernel_addresses(socket.system, 9, Side::kOwn).count, 0u);
}

}  // namespace
}  // namespace px::bundle
