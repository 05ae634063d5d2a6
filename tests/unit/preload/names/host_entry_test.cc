// SPDX-License-Identifier: MIT
#include "preload/names/host_entry.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "preload/names/fragile_programs.h"

namespace px::shim {
namespace {

bundle::Bundle bundle_of(const std::vector<std::string>& addresses) {
  bundle::Bundle bundle;
  for (const std::string& address : addresses) {
    bundle.endpoints[bundle.count++].address = *bundle::address_from_text(address);
  }
  return bundle;
}

std::vector<std::string> addresses_of(const hostent& entry) {
  std::vector<std::string> all;
  for (char** address = entry.h_addr_list; *address != nullptr; ++address) {
    char text[INET6_ADDRSTRLEN];
    all.emplace_back(::inet_ntop(entry.h_addrtype, *address, text, sizeof text));
  }
  return all;
}

using Lines = std::vector<std::string>;

TEST(HostEntryTest, HoldsTheAddressesOfOneFamily) {
  const bundle::Bundle bundle = bundle_of({"10.0.0.2", "2001:db8::1", "10.0.0.1"});
  std::vector<char> room(kHostEntryRoom);
  hostent entry{};
  ASSERT_TRUE(write_host_entry(bundle, AF_INET, "<x>", room, &entry));
  EXPECT_STREQ(entry.h_name, "<x>");
  EXPECT_EQ(entry.h_length, 4);
  EXPECT_EQ(entry.h_aliases[0], nullptr);
  EXPECT_EQ(addresses_of(entry), (Lines{"10.0.0.2", "10.0.0.1"}));
  ASSERT_TRUE(write_host_entry(bundle, AF_INET6, "<x>", room, &entry));
  EXPECT_EQ(entry.h_length, 16);
  EXPECT_EQ(addresses_of(entry), Lines{"2001:db8::1"});
}

TEST(HostEntryTest, TheWholeOfItFitsOrNothing) {
  bundle::Bundle bundle;
  bundle.count = bundle::kMostMembers;
  for (auto& endpoint : bundle.endpoints) endpoint.address = *bundle::address_from_text("::1");
  std::vector<char> room(kHostEntryRoom);
  hostent entry{};
  EXPECT_TRUE(write_host_entry(bundle, AF_INET6, std::string(1024, 'a'), room, &entry));
  const bundle::Bundle two = bundle_of({"10.0.0.1", "10.0.0.2"});
  constexpr std::size_t kNeeded = 4 * sizeof(char*) + 2 * 4 + 4;
  for (std::size_t misplaced = 0; misplaced < sizeof(char*); ++misplaced) {
    const std::size_t padding = (sizeof(char*) - misplaced) % sizeof(char*);
    for (std::size_t size = 0; size < kNeeded + 16; ++size) {
      const std::span<char> part(room.data() + misplaced, size);
      EXPECT_EQ(write_host_entry(two, AF_INET, "abc", part, &entry), size >= kNeeded + padding);
    }
  }
}

TEST(HostEntryTest, SaysWhyInItsOwnWords) {
  EXPECT_EQ(host_error(EAI_NONAME), HOST_NOT_FOUND);
  EXPECT_EQ(host_error(EAI_AGAIN), TRY_AGAIN);
  EXPECT_EQ(host_error(EAI_FAIL), NO_RECOVERY);
  EXPECT_EQ(host_error(EAI_ADDRFAMILY), NO_DATA);
  EXPECT_EQ(host_error(EAI_MEMORY), NETDB_INTERNAL);
}

TEST(FragileProgramsTest, AreThoseThatAreKnownToFail) {
  for (const char* name : {"ncat", "haproxy", "busybox", "tnftp", "plink", "openvpn"})
    EXPECT_TRUE(is_fragile(name));
  for (const char* name : {"", "nc", "ncat2", "curl"}) EXPECT_FALSE(is_fragile(name));
  EXPECT_FALSE(is_fragile_program());
  for (const char* name : {"node", "iperf3", "busybox"}) EXPECT_TRUE(takes_first_address(name));
  for (const char* name : {"", "node2", "curl"}) EXPECT_FALSE(takes_first_address(name));
  EXPECT_FALSE(program_takes_first_address());
}

}  // namespace
}  // namespace px::shim
