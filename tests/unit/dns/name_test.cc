// SPDX-License-Identifier: MIT
#include "dns/name.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace px::dns {
namespace {

std::string text_of(const std::optional<Name>& name) {
  std::array<char, kNameTextSize> buffer;
  return name ? std::string(name->text(buffer)) : "no name";
}

std::string read(std::string_view text) {
  return text_of(Name::from_text(text));
}

TEST(Name, TextIsReadAsLibcReadsIt) {
  EXPECT_EQ(read("www.Example.com"), "www.Example.com");
  EXPECT_EQ(read("www.example.com."), "www.example.com");
  EXPECT_EQ(read(""), ".");
  EXPECT_EQ(read("."), ".");
  EXPECT_EQ(read("w\\119w.lab"), "www.lab");
  EXPECT_EQ(read("a\\.b.lab"), "a\\.b.lab");
  EXPECT_EQ(read("sp ace"), "sp\\032ace");
  EXPECT_EQ(read("\xff"), "\\255");
}

TEST(Name, WhatIsNoNameIsNotRead) {
  for (const char* bad : {"a..b", ".a", "..", "a\\", "a\\25", "a\\256", "a\\2x5"}) {
    EXPECT_EQ(read(bad), "no name") << bad;
  }
  EXPECT_EQ(read(std::string(63, 'a')), std::string(63, 'a'));
  EXPECT_EQ(read(std::string(64, 'a')), "no name");
  std::string long_name;
  for (int i = 0; i < 126; ++i) long_name += "a.";
  EXPECT_EQ(read(long_name + "b"), long_name + "b");
  EXPECT_EQ(read(long_name + "bc"), "no name");
}

TEST(Name, BytesAreReadUpToTheRoot) {
  const std::array<std::uint8_t, 8> bytes{3, 'w', 'w', 'w', 1, 'x', 0, 9};
  EXPECT_EQ(text_of(Name::from_wire(bytes)), "www.x");
  EXPECT_EQ(text_of(Name::from_wire(std::span(bytes).first(6))), "no name");
  EXPECT_EQ(text_of(Name::from_wire({})), "no name");
  const std::array<std::uint8_t, 2> pointer{0xc0, 0};
  EXPECT_EQ(text_of(Name::from_wire(pointer)), "no name");
}

TEST(Name, HostsHaveLettersDigitsAndTwoSigns) {
  for (const char* good : {"a", "_srv.lab", "x_y", "dash-.lab", "1", "xn--bcher-kva.lab"}) {
    EXPECT_TRUE(Name::from_text(good)->is_host()) << good;
  }
  for (const char* bad : {".", "-dash", "sp ace", "star*.lab", "a\\.b", "\xc3\xbc"}) {
    EXPECT_FALSE(Name::from_text(bad)->is_host()) << bad;
  }
}

TEST(Name, CaseIsNoDifferenceAndBytesAreOne) {
  const auto name = [](const char* text) { return *Name::from_text(text); };
  EXPECT_TRUE(name("WWW.lab").is_same(name("www.LAB")));
  EXPECT_FALSE(name("WWW.lab") == name("www.LAB"));
  EXPECT_FALSE(name("a.b").is_same(name("a\\.b")));
}

TEST(Name, ANameStandsBelowADomain) {
  const auto name = *Name::from_text("www");
  EXPECT_EQ(text_of(name.below(*Name::from_text("corp.example"))), "www.corp.example");
  EXPECT_EQ(text_of(name.below(Name())), "www");
  const std::string label(63, 'a');
  const auto long_name = *Name::from_text(label + "." + label + "." + label);
  EXPECT_EQ(text_of(long_name.below(*Name::from_text(label))), "no name");
}

}  // namespace
}  // namespace px::dns
