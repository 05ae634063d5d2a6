// SPDX-License-Identifier: MIT
#include "libbundle/core/layout.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "libbundle/core/bundle_builder.h"

namespace px::bundle {
namespace {

Endpoint endpoint(const char* address, std::uint16_t port = 80, std::uint32_t scope = 0) {
  return {*address_from_text(address), port, scope};
}

Bundle bundle_of(std::initializer_list<const char*> addresses) {
  BundleBuilder builder;
  for (const char* address : addresses) (void)builder.add(endpoint(address));
  return builder.build();
}

// The bundle as bytes, exactly as many, so that a sanitizer sees the first one too much.
std::vector<std::uint8_t> bytes_of(const Bundle& bundle, std::size_t limit = BUNDLE_SIZE_MAX) {
  std::vector<std::uint8_t> bytes(limit);
  bytes.resize(sockaddr_from_bundle(bundle, bytes.data(), limit));
  bytes.shrink_to_fit();
  return bytes;
}

const sockaddr* as_sockaddr(const std::uint8_t* bytes) {
  return reinterpret_cast<const sockaddr*>(bytes);
}

LayoutFault fault_of(const std::vector<std::uint8_t>& bytes) {
  return check_layout(as_sockaddr(bytes.data()), static_cast<socklen_t>(bytes.size()));
}

std::optional<Bundle> read(const std::vector<std::uint8_t>& bytes) {
  return bundle_from_sockaddr(as_sockaddr(bytes.data()), static_cast<socklen_t>(bytes.size()));
}

// One address a line; `|` where another host begins.
std::string shown(const Bundle& bundle) {
  std::string text;
  for (std::size_t i = 0; i < bundle.count; ++i) {
    if (i != 0) text += (bundle.alternatives >> i & 1) != 0 ? "|" : ",";
    std::array<char, kAddressTextSize> buffer;
    text += address_text(bundle.endpoints[i].address, buffer);
    if (bundle.endpoints[i].scope != 0) text += "%" + std::to_string(bundle.endpoints[i].scope);
  }
  return text;
}

// A sockaddr_bundle of these sockaddrs; count and length are right.
template <typename... Members>
std::vector<std::uint8_t> packed(const Members&... members) {
  std::vector<std::uint8_t> bytes(BUNDLE_HEADER_SIZE);
  [[maybe_unused]] const auto append = [&](const auto& member) {
    const auto* first = reinterpret_cast<const std::uint8_t*>(&member);
    bytes.insert(bytes.end(), first, first + sizeof member);
  };
  (append(members), ...);
  const sa_family_t family = AF_BUNDLE;
  const std::uint16_t port = htons(80);
  const auto length = static_cast<std::uint16_t>(bytes.size());
  std::memcpy(&bytes[0], &family, 2);
  std::memcpy(&bytes[2], &port, 2);
  bytes[4] = sizeof...(members);
  std::memcpy(&bytes[6], &length, 2);
  return bytes;
}

void set_alternatives(std::vector<std::uint8_t>& bytes, std::uint32_t bits) {
  std::memcpy(&bytes[8], &bits, 4);
}

sockaddr_in ipv4(const char* text, std::uint16_t port = 80) {
  sockaddr_in in{};
  in.sin_family = AF_INET;
  in.sin_port = htons(port);
  inet_pton(AF_INET, text, &in.sin_addr);
  return in;
}

sockaddr_in6 ipv6(const char* text, std::uint16_t port = 80, std::uint32_t scope = 0) {
  sockaddr_in6 in6{};
  in6.sin6_family = AF_INET6;
  in6.sin6_port = htons(port);
  in6.sin6_scope_id = scope;
  inet_pton(AF_INET6, text, &in6.sin6_addr);
  return in6;
}

TEST(Layout, IsAsSctpTakesIt) {
  const auto bytes = bytes_of(bundle_of({"10.0.0.1", "2001:db8::1"}));
  EXPECT_EQ(bytes, packed(ipv4("10.0.0.1"), ipv6("2001:db8::1")));
}

TEST(Layout, WrittenAndReadIsTheSame) {
  BundleBuilder builder;
  builder.add(endpoint("2001:db8::1"), 0);
  builder.add(endpoint("fe80::1", 80, 7), 0);
  builder.add(endpoint("10.0.0.1"), 1);
  Bundle bundle = builder.build();
  bundle.implicit = true;
  const auto back = read(bytes_of(bundle));
  ASSERT_TRUE(back);
  EXPECT_EQ(shown(*back), "2001:db8::1,fe80::1%7|10.0.0.1");
  EXPECT_TRUE(back->implicit);
  EXPECT_FALSE(back->truncated);
  for (const Endpoint& member : back->members()) EXPECT_EQ(member.port, 80);
}

TEST(Layout, WhatFitsWhereNothingElseWasAsked) {
  const Bundle v4 = bundle_of(
      {"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6", "10.0.0.7"});
  const auto six = read(bytes_of(v4, BUNDLE_SIZE_USUAL));
  ASSERT_TRUE(six);
  EXPECT_EQ(shown(*six), "10.0.0.1,10.0.0.2,10.0.0.3,10.0.0.4,10.0.0.5,10.0.0.6");
  EXPECT_TRUE(six->truncated);
  EXPECT_EQ(bytes_of(v4, BUNDLE_SIZE_USUAL).size(), 108u);
  const auto three = read(
      bytes_of(bundle_of({"2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8::4", "10.0.0.1"}),
               BUNDLE_SIZE_USUAL));
  ASSERT_TRUE(three);
  EXPECT_EQ(three->count, 3u);
  EXPECT_TRUE(three->truncated);
  EXPECT_FALSE(read(bytes_of(bundle_of({"2001:db8::1", "2001:db8::2", "2001:db8::3", "10.0.0.1"}),
                             BUNDLE_SIZE_USUAL))
                   ->truncated);
}

TEST(Layout, AlternativesBeyondTheLimitAreGone) {
  BundleBuilder builder;
  for (std::uint32_t i = 0; i < 16; ++i) {
    builder.add(endpoint(("10.0.0." + std::to_string(i)).c_str()), i);
  }
  const auto back = read(bytes_of(builder.build(), BUNDLE_SIZE_USUAL));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->alternatives, 0x3eu);
}

TEST(Layout, NothingIsWrittenWhereNothingFits) {
  std::uint8_t bytes[BUNDLE_SIZE_USUAL] = {};
  EXPECT_EQ(sockaddr_from_bundle(Bundle{}, bytes), 0u);
  EXPECT_EQ(sockaddr_from_bundle(bundle_of({"10.0.0.1"}), bytes, 27), 0u);
  EXPECT_EQ(sockaddr_from_bundle(bundle_of({"10.0.0.1"}), bytes, 0), 0u);
  for (const std::uint8_t byte : bytes) EXPECT_EQ(byte, 0);
  EXPECT_EQ(sockaddr_from_bundle(bundle_of({"10.0.0.1"}), bytes, 28), 28u);
}

TEST(Layout, TheHeadersPortRulesWhereMembersHaveNone) {
  // What a program does that asked for no service and sets the port by itself.
  const auto back = read(packed(ipv4("10.0.0.1", 0), ipv6("2001:db8::1", 80)));
  ASSERT_TRUE(back);
  for (const Endpoint& member : back->members()) EXPECT_EQ(member.port, 80);
}

TEST(Layout, DuplicatesAreFolded) {
  EXPECT_EQ(shown(*read(packed(ipv4("10.0.0.1"), ipv6("::ffff:10.0.0.1"), ipv4("10.0.0.2")))),
            "10.0.0.1,10.0.0.2");
  EXPECT_EQ(shown(*read(packed(ipv6("fe80::1", 80, 1), ipv6("fe80::1", 80, 2)))),
            "fe80::1%1,fe80::1%2");
  // A scope means nothing here.
  EXPECT_EQ(shown(*read(packed(ipv6("2001:db8::1", 80, 1), ipv6("2001:db8::1", 80, 2)))),
            "2001:db8::1");
}

TEST(Layout, AlternativesThatShareAnAddressAreOneHost) {
  auto bytes = packed(ipv4("10.0.0.1"), ipv4("10.0.0.2"), ipv4("10.0.0.3"), ipv4("10.0.0.1"));
  set_alternatives(bytes, 0b1110);
  EXPECT_EQ(shown(*read(bytes)), "10.0.0.1|10.0.0.2|10.0.0.3");
  bytes = packed(ipv4("10.0.0.1"), ipv4("10.0.0.2"), ipv4("10.0.0.3"), ipv4("10.0.0.1"));
  set_alternatives(bytes, 0b0110);
  EXPECT_EQ(shown(*read(bytes)), "10.0.0.1,10.0.0.3|10.0.0.2");
  bytes = packed(ipv4("10.0.0.1"), ipv4("10.0.0.2"), ipv4("10.0.0.2"), ipv4("10.0.0.3"));
  set_alternatives(bytes, 0b0110);
  EXPECT_EQ(shown(*read(bytes)), "10.0.0.1|10.0.0.2,10.0.0.3");
}

TEST(Layout, GroupsOneAfterTheOther) {
  BundleBuilder builder;
  builder.add(endpoint("10.0.0.1"), 3);
  builder.add(endpoint("10.0.0.2"), 3);
  builder.add(endpoint("10.0.0.3"), 1);
  const Bundle bundle = builder.build();
  EXPECT_EQ(bundle.group_at(0).size(), 2u);
  EXPECT_EQ(bundle.group_at(2).size(), 1u);
  EXPECT_TRUE(bundle.group_at(3).empty());
}

TEST(Layout, TheSeventeenthIsLeftOut) {
  BundleBuilder builder;
  for (int i = 0; i < 16; ++i) {
    EXPECT_TRUE(builder.add(endpoint(("10.0.0." + std::to_string(i)).c_str())));
  }
  EXPECT_TRUE(builder.add(endpoint("10.0.0.3")));
  EXPECT_FALSE(builder.build().truncated);
  EXPECT_FALSE(builder.add(endpoint("10.0.0.16")));
  EXPECT_TRUE(builder.build().truncated);
  EXPECT_EQ(builder.build().count, 16u);
  EXPECT_EQ(bytes_of(builder.build()).size(), BUNDLE_HEADER_SIZE + 16 * sizeof(sockaddr_in));
}

TEST(Layout, FaultsOfTheHeader) {
  EXPECT_EQ(check_layout(nullptr, 112), LayoutFault::kFamily);
  const auto good = packed(ipv4("10.0.0.1"), ipv4("10.0.0.2"));
  ASSERT_EQ(fault_of(good), LayoutFault::kNone);
  for (std::size_t length = 0; length < good.size(); ++length) {
    const std::vector<std::uint8_t> cut(good.begin(),
                                        good.begin() + static_cast<std::ptrdiff_t>(length));
    EXPECT_EQ(fault_of(cut), length < 2 ? LayoutFault::kFamily : LayoutFault::kLength) << length;
  }
  const auto with = [&](std::size_t at, std::uint8_t value) {
    auto bytes = good;
    bytes[at] = value;
    return fault_of(bytes);
  };
  EXPECT_EQ(with(0, AF_INET), LayoutFault::kFamily);
  EXPECT_EQ(with(2, 1), LayoutFault::kPort);
  EXPECT_EQ(with(4, 17), LayoutFault::kCount);
  EXPECT_EQ(with(4, 1), LayoutFault::kLength);
  EXPECT_EQ(with(4, 3), LayoutFault::kLength);
  EXPECT_EQ(with(5, 4), LayoutFault::kReserved);
  EXPECT_EQ(with(6, 11), LayoutFault::kLength);
  EXPECT_EQ(with(6, 43), LayoutFault::kLength);
  EXPECT_EQ(with(8, 1), LayoutFault::kReserved);
  EXPECT_EQ(with(8, 4), LayoutFault::kReserved);
  EXPECT_EQ(with(11, 0x80), LayoutFault::kReserved);
}

// As the paper's programs fill it: family and addresses.
TEST(Layout, WhatTheHeaderLeavesOpenTheAddressesSay) {
  const auto as_in_the_paper = [](std::vector<std::uint8_t> bytes) {
    std::fill(bytes.begin() + 2, bytes.begin() + BUNDLE_HEADER_SIZE, 0);
    return bytes;
  };
  auto bytes = as_in_the_paper(packed(ipv4("10.0.0.1"), ipv6("2001:db8::1", 0)));
  const auto exact = read(bytes);
  ASSERT_TRUE(exact);
  EXPECT_EQ(shown(*exact), "10.0.0.1,2001:db8::1");
  for (const Endpoint& member : exact->members()) EXPECT_EQ(member.port, 80);
  bytes.resize(BUNDLE_SIZE_MAX);
  ASSERT_TRUE(read(bytes));
  EXPECT_EQ(shown(*read(bytes)), "10.0.0.1,2001:db8::1");
  bytes[4] = 3;
  EXPECT_EQ(fault_of(bytes), LayoutFault::kMember);
  bytes[4] = 1;
  EXPECT_EQ(fault_of(bytes), LayoutFault::kLength);
  EXPECT_EQ(fault_of(as_in_the_paper(packed())), LayoutFault::kCount);
  EXPECT_EQ(fault_of(as_in_the_paper(packed(ipv4("10.0.0.1"), ipv4("10.0.0.2", 81)))),
            LayoutFault::kPort);
  bytes = as_in_the_paper(packed(ipv4("10.0.0.1"), ipv4("10.0.0.2")));
  set_alternatives(bytes, 2);
  EXPECT_EQ(shown(*read(bytes)), "10.0.0.1|10.0.0.2");
  set_alternatives(bytes, 4);
  EXPECT_EQ(fault_of(bytes), LayoutFault::kReserved);
  std::vector<std::uint8_t> many(BUNDLE_HEADER_SIZE);
  const sa_family_t family = AF_BUNDLE;
  std::memcpy(many.data(), &family, sizeof family);
  for (int i = 0; i < 17; ++i) {
    const sockaddr_in member = ipv4(("10.0.0." + std::to_string(i)).c_str());
    const auto* first = reinterpret_cast<const std::uint8_t*>(&member);
    many.insert(many.end(), first, first + sizeof member);
  }
  EXPECT_EQ(fault_of(many), LayoutFault::kCount);
}

TEST(Layout, FaultsOfMembers) {
  sockaddr_in other = ipv4("10.0.0.1");
  other.sin_family = AF_UNIX;
  EXPECT_EQ(fault_of(packed(other)), LayoutFault::kMember);
  EXPECT_EQ(fault_of(packed(ipv4("10.0.0.1", 81))), LayoutFault::kPort);
  EXPECT_EQ(fault_of(packed(ipv4("10.0.0.1"), ipv6("::1", 81))), LayoutFault::kPort);
  sockaddr_in short_ipv6 = ipv4("10.0.0.1");
  short_ipv6.sin_family = AF_INET6;
  EXPECT_EQ(fault_of(packed(short_ipv6)), LayoutFault::kLength);
  // What is left of an IPv6 bundle in a program that copied 28 bytes: half an address.
  auto half = packed(ipv6("2001:db8::1"), ipv4("10.0.0.1"));
  std::fill(half.begin() + 28, half.end(), 0);
  EXPECT_EQ(fault_of(half), LayoutFault::kMember);
}

TEST(Layout, AnyAlignmentAndMoreBytesThanNeeded) {
  const auto good = bytes_of(bundle_of({"10.0.0.1", "2001:db8::1"}));
  for (std::size_t shift = 0; shift < 8; ++shift) {
    std::vector<std::uint8_t> bytes(shift + 128, 0xff);
    std::copy(good.begin(), good.end(), bytes.begin() + static_cast<std::ptrdiff_t>(shift));
    const auto bundle = bundle_from_sockaddr(as_sockaddr(bytes.data() + shift), 128);
    ASSERT_TRUE(bundle);
    EXPECT_EQ(shown(*bundle), "10.0.0.1,2001:db8::1");
    std::vector<std::uint8_t> out(shift + BUNDLE_SIZE_USUAL);
    ASSERT_EQ(sockaddr_from_bundle(*bundle, out.data() + shift), good.size());
    EXPECT_TRUE(std::equal(good.begin(), good.end(), out.begin() + static_cast<long>(shift)));
  }
}

}  // namespace
}  // namespace px::bundle
