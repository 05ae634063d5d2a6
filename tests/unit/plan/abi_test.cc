// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <cstddef>
#include <span>
#include <string>
#include <type_traits>

#include "plan/layout.h"
#include "tests/unit/plan/abi_layout.h"

namespace px::plan {
namespace {

#define PX_FIELD(type, field) \
  abi_field{#type "." #field, sizeof(type::field), offsetof(type, field), sizeof(type)},
const abi_field kFieldsOfCpp[] = {
#include "tests/unit/plan/abi_fields.def"
};
#undef PX_FIELD

TEST(Abi, CAndCppPutEachFieldInTheSamePlace) {
  const std::span c(abi_fields_of_c, abi_field_count_of_c);
  const std::span cpp(kFieldsOfCpp);
  ASSERT_EQ(c.size(), cpp.size());
  for (std::size_t i = 0; i < c.size(); ++i) {
    EXPECT_STREQ(c[i].name, cpp[i].name);
    EXPECT_EQ(c[i].size, cpp[i].size) << c[i].name;
    EXPECT_EQ(c[i].offset, cpp[i].offset) << c[i].name;
    EXPECT_EQ(c[i].whole, cpp[i].whole) << c[i].name;
  }
}

// Each field begins where the one before ends, and the last one ends the structure.
TEST(Abi, NoStructureHasHiddenPadding) {
  std::string structure;
  std::size_t end = 0;
  std::size_t whole = 0;
  for (const abi_field& field : kFieldsOfCpp) {
    const std::string name = field.name;
    const std::string of = name.substr(0, name.find('.'));
    if (of != structure) {
      EXPECT_EQ(end, whole) << structure;
      structure = of;
      end = 0;
    }
    EXPECT_EQ(field.offset, end) << name;
    end += field.size;
    whole = field.whole;
  }
  EXPECT_EQ(end, whole) << structure;
}

TEST(Abi, WhatIsCopiedAsBytesIsBytes) {
  EXPECT_TRUE(std::is_trivially_copyable_v<PlanHeader> && std::is_trivially_copyable_v<Node> &&
              std::is_trivially_copyable_v<Segment> && std::is_trivially_copyable_v<Rule> &&
              std::is_trivially_copyable_v<Entry> && std::is_trivially_copyable_v<Range> &&
              std::is_trivially_copyable_v<BundleName>);
}

}  // namespace
}  // namespace px::plan
