// SPDX-License-Identifier: MIT
#include "preload/sockets/call_address.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "tests/unit/preload/shim_values.h"

namespace px::shim {
namespace {

CallAddress read(const sockaddr_storage& storage, socklen_t length) {
  return read_call_address(reinterpret_cast<const sockaddr*>(&storage), length);
}

// What the kernel answers with EFAULT is none of px's business.
TEST(CallAddress, OfMemoryThatIsNotThereIsNotRead) {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  void* pages = mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(pages, MAP_FAILED);
  auto* const end = static_cast<std::byte*>(pages) + page;
  ASSERT_EQ(mprotect(end, page, PROT_NONE), 0);
  const sa_family_t family = AF_INET6;
  std::memcpy(end - sizeof family, &family, sizeof family);
  const auto* address = reinterpret_cast<const sockaddr*>(end - sizeof family);
  const CallAddress beyond = read_call_address(address, sizeof(sockaddr_in6));
  EXPECT_FALSE(beyond.is_read);
  EXPECT_EQ(beyond.family, AF_UNSPEC);
  EXPECT_EQ(beyond.bytes, address);
  EXPECT_EQ(beyond.length, sizeof(sockaddr_in6));
  EXPECT_EQ(read_call_address(address, sizeof family).family, AF_INET6);
  EXPECT_EQ(read_call_address(address, 1).family, AF_UNSPEC);
  EXPECT_FALSE(read_call_address(nullptr, sizeof(sockaddr_in6)).is_read);
  EXPECT_FALSE(read_call_address(reinterpret_cast<sockaddr*>(end), 2).is_read);
  munmap(pages, 2 * page);
}

TEST(CallAddress, OnlyOfABundleMayBeLongerThanTheKernelTakes) {
  alignas(sockaddr_storage) std::array<std::byte, 2 * sizeof(sockaddr_bundle)> memory{};
  auto* address = reinterpret_cast<sockaddr*>(memory.data());
  address->sa_family = AF_INET;
  EXPECT_TRUE(read_call_address(address, sizeof(sockaddr_storage)).endpoint);
  EXPECT_FALSE(read_call_address(address, sizeof(sockaddr_storage) + 1).endpoint);
  EXPECT_FALSE(read_call_address(address, socklen_t(-1)).is_read);
  address->sa_family = AF_BUNDLE;
  EXPECT_TRUE(read_call_address(address, sizeof(sockaddr_bundle)).is_bundle());
  EXPECT_TRUE(read_call_address(address, sizeof(sockaddr_bundle) + 1).is_bundle());
}

TEST(CallAddress, OfAnInternetSockaddrHasItsEndpoint) {
  sockaddr_storage storage{};
  const socklen_t length = bundle::sockaddr_from_endpoint(
      {.address = address("fe80::1"), .port = 443, .scope = 3}, AF_INET6, &storage);
  const CallAddress named = read(storage, length);
  EXPECT_EQ(named.family, AF_INET6);
  ASSERT_TRUE(named.endpoint);
  EXPECT_EQ(named.endpoint->address, address("fe80::1"));
  EXPECT_EQ(named.endpoint->port, 443);
  EXPECT_EQ(named.endpoint->scope, 3u);
  EXPECT_EQ(named.length, length);
  EXPECT_FALSE(named.is_bundle());
}

TEST(CallAddress, OfAnyOtherHasTheFamilyAlone) {
  sockaddr_storage storage{};
  storage.ss_family = AF_UNIX;
  EXPECT_EQ(read(storage, sizeof storage).family, AF_UNIX);
  EXPECT_FALSE(read(storage, sizeof storage).endpoint);
  storage.ss_family = AF_BUNDLE;
  EXPECT_TRUE(read(storage, 2).is_bundle());
  storage.ss_family = AF_INET;
  EXPECT_EQ(read(storage, sizeof(sockaddr_in) - 1).family, AF_INET);
  EXPECT_FALSE(read(storage, sizeof(sockaddr_in) - 1).endpoint);
}

TEST(CallAddress, OfNothingIsUnspecified) {
  sockaddr_storage storage{};
  storage.ss_family = AF_INET;
  for (const CallAddress& named : {read_call_address(nullptr, 16), read(storage, 1)}) {
    EXPECT_EQ(named.family, AF_UNSPEC);
    EXPECT_FALSE(named.endpoint);
  }
}

TEST(CallAddress, OfAnEndpointIsWhatReadingItsSockaddrGives) {
  EXPECT_FALSE(call_address_of({.address = address("2001:db8::1")}, AF_INET));
  for (const char* text : {"198.51.100.1", "2001:db8::1"}) {
    for (const sa_family_t family : {sa_family_t{AF_INET}, sa_family_t{AF_INET6}}) {
      sockaddr_storage storage;
      const bundle::Endpoint endpoint{.address = address(text), .port = 443, .scope = 3};
      const socklen_t length = bundle::sockaddr_from_endpoint(endpoint, family, &storage);
      const auto made = call_address_of(endpoint, family);
      ASSERT_EQ(made.has_value(), length != 0);
      if (!made) continue;
      const CallAddress named = read(storage, length);
      EXPECT_EQ(made->family, named.family);
      EXPECT_EQ(made->endpoint->address, named.endpoint->address);
      EXPECT_EQ(made->endpoint->port, named.endpoint->port);
      EXPECT_EQ(made->endpoint->scope, named.endpoint->scope);
    }
  }
}

}  // namespace
}  // namespace px::shim
