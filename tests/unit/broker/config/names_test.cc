// SPDX-License-Identifier: MIT
#include "broker/config/names.h"

#include <gtest/gtest.h>

namespace px::broker {
namespace {

NameGroup group(const std::vector<std::string>& names, std::uint8_t timeout_s = 5,
                std::size_t servers = 1) {
  NameGroup made;
  for (const std::string& name : names) made.names.push_back(*dns::NamePattern::from_text(name));
  made.timeout_s = timeout_s;
  made.servers.resize(servers);
  return made;
}

TEST(Names, TheLongestPatternSaysWhoseANameIs) {
  Names names;
  names.groups = {group({"*.corp.example", "corp.example"}), group({}),
                  group({"*.lab.corp.example", "one.corp.example"})};
  const auto index = [&](std::string_view text) {
    return names.group_of(*dns::Name::from_text(text)) - names.groups.data();
  };
  EXPECT_EQ(index("corp.example"), 0);
  EXPECT_EQ(index("WWW.Corp.Example"), 0);
  EXPECT_EQ(index("lab.corp.example"), 0);
  EXPECT_EQ(index("a.b.lab.corp.example"), 2);
  EXPECT_EQ(index("one.corp.example"), 2);
  EXPECT_EQ(index("two.one.corp.example"), 0);
  EXPECT_EQ(index("example"), 1);
  EXPECT_EQ(index("xcorp.example"), 1);
  EXPECT_EQ(index("."), 1);
  names.groups.erase(names.groups.begin() + 1);
  EXPECT_EQ(names.group_of(*dns::Name::from_text("example")), nullptr);
}

TEST(Names, ALookupIsWaitedForAsTheLongestMayTake) {
  Names names;
  EXPECT_EQ(names.settings().from, plan::NamesFrom::kHost);
  names.groups = {group({"a.example"}, 3, 1), group({"b.example"}, 1, 4)};
  const plan::NameSettings some = names.settings();
  EXPECT_EQ(some.from, plan::NamesFrom::kSomeOfProfile);
  EXPECT_EQ(some.timeout_s, 3);
  EXPECT_EQ(some.servers, 4);
  names.groups.push_back(group({}));
  EXPECT_EQ(names.settings().from, plan::NamesFrom::kProfile);
}

TEST(Names, TextIsAsThePolicyHasIt) {
  EXPECT_EQ(text_of(*dns::NamePattern::from_text("*.Corp.example.")), "*.corp.example");
  EXPECT_EQ(text_of(*dns::NamePattern::from_text("corp.example")), "corp.example");
}

}  // namespace
}  // namespace px::broker
