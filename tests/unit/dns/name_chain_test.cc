// SPDX-License-Identifier: MIT
#include "dns/name_chain.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace px::dns {
namespace {

Name name(const std::string& text) {
  return *Name::from_text(text);
}

std::vector<std::string> names_of(const NameChain& chain) {
  std::vector<std::string> names;
  for (auto rest = chain.wire(); const auto name = next_name(&rest);) {
    std::array<char, kNameTextSize> buffer;
    names.emplace_back(name->text(buffer));
  }
  return names;
}

TEST(NameChain, HoldsEachNameOnceInLowerCase) {
  NameChain chain;
  EXPECT_TRUE(chain.is_empty());
  for (const char* text : {"WWW.example", "cdn.example", "www.EXAMPLE", "."}) chain.add(name(text));
  EXPECT_EQ(names_of(chain), (std::vector<std::string>{"www.example", "cdn.example"}));
  EXPECT_TRUE(chain.holds(name("CDN.example")));
  EXPECT_FALSE(chain.holds(name("example")));
}

TEST(NameChain, TheFirstNamesHaveTheRoom) {
  NameChain chain;
  const std::string label(60, 'a');
  std::vector<std::string> expected;
  for (char first = 'a'; first < 'z'; ++first) {
    const std::string text = std::string(1, first) + "." + label;
    chain.add(name(text));
    if (expected.size() < NameChain::kRoom / 64) expected.push_back(text);
  }
  EXPECT_EQ(names_of(chain), expected);
  EXPECT_LE(chain.wire().size(), NameChain::kRoom);
}

TEST(NameChain, IsWhatBytesBeginWith) {
  NameChain chain;
  chain.add(name("a.example"));
  chain.add(name("b.example"));
  const auto wire = chain.wire();
  std::vector<std::uint8_t> bytes(wire.begin(), wire.end());
  EXPECT_EQ(names_of(NameChain::from_wire(bytes)), names_of(chain));
  bytes.resize(600);
  EXPECT_EQ(names_of(NameChain::from_wire(bytes)), names_of(chain)) << "zeros behind it";
  bytes[wire.size()] = 64;
  EXPECT_EQ(names_of(NameChain::from_wire(bytes)), names_of(chain)) << "no label";
  bytes.resize(wire.size() - 1);
  EXPECT_EQ(names_of(NameChain::from_wire(bytes)), (std::vector<std::string>{"a.example"}));
  EXPECT_TRUE(NameChain::from_wire({}).is_empty());
}

}  // namespace
}  // namespace px::dns
