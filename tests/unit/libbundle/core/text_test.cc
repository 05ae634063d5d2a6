// SPDX-License-Identifier: MIT
#include "libbundle/core/text.h"

#include <gtest/gtest.h>
#include <net/if.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "libbundle/core/bundle_builder.h"
#include "libbundle/core/notation.h"
#include "libbundle/core/zone.h"

namespace px::bundle {
namespace {

Bundle bundle_of(std::string_view text) {
  const Notation notation = parse_notation(text);
  EXPECT_EQ(notation.kind, NotationKind::kMembers) << text;
  BundleBuilder builder;
  for (const Member& member : notation.members()) {
    EXPECT_TRUE(member.numeric) << text;
    (void)builder.add({member.address, 80, zone_index(member.zone)}, member.group);
  }
  return builder.build();
}

std::string text_of(const Bundle& bundle) {
  std::array<char, kBundleTextSize> buffer;
  const std::string_view text = bundle_text(bundle, buffer);
  EXPECT_EQ(text.data()[text.size()], '\0');
  return std::string(text);
}

std::string canonical_text(std::string_view text) {
  return text_of(bundle_of(text));
}

TEST(Text, SortedAndFolded) {
  EXPECT_EQ(canonical_text("<10.0.0.1>"), "<10.0.0.1>");
  EXPECT_EQ(canonical_text("{ 10.0.0.2 , 10.0.0.1 }"), "<10.0.0.1,10.0.0.2>");
  EXPECT_EQ(canonical_text("<2001:DB8::0:1,10.0.0.1>"), "<10.0.0.1,2001:db8::1>");
  EXPECT_EQ(canonical_text("<::1,9.0.0.1,127.0.0.1>"), "<9.0.0.1,127.0.0.1,::1>");
  EXPECT_EQ(canonical_text("<10.0.0.1,::ffff:10.0.0.1,10.0.0.1>"), "<10.0.0.1>");
  EXPECT_EQ(canonical_text("<10.0.0.10,10.0.0.9>"), "<10.0.0.9,10.0.0.10>");
  EXPECT_EQ(canonical_text("2001-db8--1.v6.and.10.0.0.1.bundle"), "<10.0.0.1,2001:db8::1>");
  EXPECT_EQ(text_of(Bundle{}), "<>");
}

TEST(Text, AlternativesAreSortedToo) {
  EXPECT_EQ(canonical_text("<10.0.0.3,10.0.0.2|10.0.0.4,10.0.0.1>"),
            "<10.0.0.1,10.0.0.4|10.0.0.2,10.0.0.3>");
  EXPECT_EQ(canonical_text("<::1|10.0.0.1>"), "<10.0.0.1|::1>");
  EXPECT_EQ(canonical_text("<10.0.0.1|10.0.0.2,10.0.0.1>"), "<10.0.0.1,10.0.0.2>");
  EXPECT_EQ(canonical_text("<10.0.0.2,10.0.0.1|10.0.0.1>"), "<10.0.0.1,10.0.0.2>");
  EXPECT_EQ(canonical_text("<10.0.0.3|10.0.0.1,10.0.0.2|10.0.0.2,10.0.0.3>"),
            "<10.0.0.1,10.0.0.2,10.0.0.3>");
}

TEST(Text, ZonesOfScopedAddresses) {
  const std::string lo = std::to_string(if_nametoindex("lo"));
  EXPECT_EQ(canonical_text("<fe80::1%lo>"), "<fe80::1%lo>");
  EXPECT_EQ(canonical_text("<fe80::1%" + lo + ",fe80::1%lo>"), "<fe80::1%lo>");
  EXPECT_EQ(canonical_text("<fe80::1%4000000001,fe80::1%4000000000,fe80::1>"),
            "<fe80::1,fe80::1%4000000000,fe80::1%4000000001>");
  Bundle global = bundle_of("<2001:db8::1>");
  global.endpoints[0].scope = 7;
  EXPECT_EQ(text_of(global), "<2001:db8::1>");
}

TEST(Text, TheLongestFits) {
  BundleBuilder builder;
  for (std::uint8_t i = 0; i < 16; ++i) {
    Endpoint member{*address_from_text("fe80:1111:1111:1111:1111:1111:1111:1100"), 80, 4000000000};
    member.address.bytes[15] = i;
    member.address.bytes[14] = 0xff;
    builder.add(member, i);
  }
  const std::string text = text_of(builder.build());
  EXPECT_GT(text.size(), 800u);
  EXPECT_EQ(canonical_text(text), text);
}

// Any grouping of some addresses, twice the same one among them, written in two egress.
class Random {
 public:
  using Groups = std::vector<std::vector<std::string>>;

  Groups groups() {
    static const char* const kAddresses[] = {
        "10.0.0.1",    "10.0.0.2",   "192.0.2.200", "::ffff:10.0.0.1", "2001:db8::1",
        "2001:db8::2", "fe80::1%lo", "fe80::1%77",  "fe80::2",         "::1"};
    Groups groups(1 + number(3));
    for (auto& group : groups) {
      for (std::size_t i = 0; i <= number(4); ++i) group.emplace_back(kAddresses[number(10)]);
    }
    return groups;
  }

  Groups shuffled(Groups groups) {
    std::shuffle(groups.begin(), groups.end(), engine_);
    for (auto& group : groups) std::shuffle(group.begin(), group.end(), engine_);
    return groups;
  }

  static std::string written(const Groups& groups) {
    std::string text = "<";
    for (const auto& group : groups) {
      if (text.size() > 1) text += "|";
      for (const auto& member : group) text += member + (&member == &group.back() ? "" : ", ");
    }
    return text + ">";
  }

 private:
  std::size_t number(std::size_t below) { return engine_() % below; }
  std::mt19937 engine_{1};
};

TEST(Text, EqualSetsGiveEqualTextAndOthersDoNot) {
  Random random;
  std::vector<Bundle> seen;
  for (int round = 0; round < 300; ++round) {
    const Random::Groups groups = random.groups();
    const Bundle bundle = bundle_of(Random::written(groups));
    const std::string text = text_of(bundle);
    EXPECT_EQ(canonical_text(Random::written(random.shuffled(groups))), text);
    EXPECT_EQ(canonical_text(text), text);
    EXPECT_TRUE(compare(bundle_of(text), bundle) == 0);
    for (const Bundle& other : seen) {
      EXPECT_EQ(compare(bundle, other) == 0, text == text_of(other)) << text;
      EXPECT_TRUE((compare(bundle, other) < 0) == (compare(other, bundle) > 0));
    }
    if (round < 60) seen.push_back(bundle);
  }
}

TEST(Text, PortsFlagsAndPreferenceDoNotCount) {
  Bundle a = bundle_of("<10.0.0.1,10.0.0.2>");
  Bundle b = bundle_of("<10.0.0.2,10.0.0.1>");
  b.implicit = b.truncated = true;
  b.endpoints[0].port = b.endpoints[1].port = 443;
  EXPECT_TRUE(compare(a, b) == 0);
  EXPECT_TRUE(compare(a, bundle_of("<10.0.0.1|10.0.0.2>")) != 0);
  EXPECT_TRUE(compare(a, bundle_of("<10.0.0.1>")) > 0);
  EXPECT_TRUE(compare(a, bundle_of("<::1>")) < 0);
}

TEST(Text, CanonicalKeepsWhatItIsNotAbout) {
  Bundle bundle = bundle_of("<::1|10.0.0.1>");
  bundle.truncated = true;
  const Bundle sorted = canonical(bundle);
  EXPECT_TRUE(sorted.truncated);
  EXPECT_EQ(sorted.alternatives, 2u);
  EXPECT_EQ(sorted.endpoints[0].port, 80);
}

}  // namespace
}  // namespace px::bundle
