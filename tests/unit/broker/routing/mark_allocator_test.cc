// SPDX-License-Identifier: MIT
#include "broker/routing/mark_allocator.h"

#include <gtest/gtest.h>

#include "tests/unit/broker/routing/mark_mask.h"

namespace px::broker {
namespace {

MarkAllocator book_with(const MarkAllocator& allocator, const std::set<std::string>& keys,
                        std::uint32_t mask = kMask) {
  const auto result = allocator.with(keys, mask);
  EXPECT_TRUE(result) << result.error().message;
  return result.value_or(MarkAllocator{});
}

TEST(MarkAllocator, PutsNumbersIntoTheBitsOfTheMask) {
  EXPECT_EQ(mark_of(1, kMask), 0x01000000U);
  EXPECT_EQ(mark_of(255, kMask), 0xff000000U);
  EXPECT_EQ(mark_of(5, 0xf0), 0x50U);
  EXPECT_EQ(mark_of(0b111, 0x80010100), 0x80010100U);
  EXPECT_EQ(mark_of(0b101, 0x80010100), 0x80000100U);
  EXPECT_EQ(mark_count(kMask), 255U);
  EXPECT_EQ(mark_count(1), 1U);
  EXPECT_EQ(mark_count(0xffffffff), 0xffffU) << "never more than there are tables";
}

TEST(MarkAllocator, KeepsTheMarkOfAKeyWhileItIsWanted) {
  const MarkAllocator first = book_with({}, {"b", "c"});
  const MarkAllocator more = book_with(first, {"a", "b", "c"});
  EXPECT_EQ(more.marks(kMask).at("b"), first.marks(kMask).at("b"));
  EXPECT_EQ(more.marks(kMask).at("c"), first.marks(kMask).at("c"));
  EXPECT_EQ(more.only({"c"}).marks(kMask), (Marks{{"c", first.marks(kMask).at("c")}}));
}

TEST(MarkAllocator, GivesWhatWasGivenUpToTheLastOne) {
  MarkAllocator allocator;
  std::set<std::uint32_t> given;
  for (int i = 0; i < 15; ++i) {
    const std::string key = "key" + std::to_string(i);
    allocator = book_with(allocator.only({}), {key}, 0xf0);
    EXPECT_TRUE(given.insert(allocator.numbers().at(key)).second) << key;
  }
  allocator = book_with(allocator.only({}), {"again"}, 0xf0);
  EXPECT_EQ(allocator.numbers().at("again"), 1U);
}

TEST(MarkAllocator, RefusesMoreKeysThanTheMaskHasValues) {
  const auto allocator = MarkAllocator{}.with({"a", "b", "c", "d"}, 0x3);
  ASSERT_FALSE(allocator);
  EXPECT_NE(allocator.error().message.find("room for 3"), std::string::npos)
      << allocator.error().message;
}

TEST(MarkAllocator, NumbersAnewWhatANarrowerMaskHasNoRoomFor) {
  MarkAllocator allocator;
  for (int i = 0; i < 20; ++i)
    allocator = book_with(allocator.only({}), {"key" + std::to_string(i)});
  const MarkAllocator narrow = book_with(allocator, {"key19"}, 0xf);
  EXPECT_LE(narrow.numbers().at("key19"), 15U);
}

TEST(MarkAllocator, EgressesOfPortsTakeNoneOfTheMarks) {
  std::set<std::string> ports;
  for (int i = 1; i <= 20; ++i) ports.insert("port eth0 192.0.2." + std::to_string(i));
  MarkAllocator allocator = book_with({}, ports, 0x3);
  EXPECT_TRUE(allocator.marks(0x3).empty());
  ports.insert({"a", "b", "c"});
  allocator = book_with(allocator, ports, 0x3);
  EXPECT_EQ(allocator.marks(0x3), (Marks{{"a", 1}, {"b", 2}, {"c", 3}}));
  EXPECT_EQ(allocator.numbers().at("port eth0 192.0.2.1"), 0xffffU);
  EXPECT_FALSE(allocator.with({"d"}, 0x3));
  EXPECT_EQ(MarkAllocator::parse(allocator.text()).value(), allocator);
}

TEST(MarkAllocator, ReadsWhatItWrote) {
  const MarkAllocator allocator =
      book_with(book_with({}, {"x"}).only({}), {"eth0 192.0.2.1", "received"});
  const auto read = MarkAllocator::parse(allocator.text());
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, allocator);
  EXPECT_TRUE(MarkAllocator::parse(MarkAllocator{}.text()));
}

TEST(MarkAllocator, TakesNothingElse) {
  for (const char* text :
       {"", "px-marks 2\n0\n", "px-marks 1\n", "px-marks 1\nx\n", "px-marks 1\n1\n1\n",
        "px-marks 1\n1\n1 \n", "px-marks 1\n1\n0 a\n", "px-marks 1\n1\n70000 a\n",
        "px-marks 1\n1\n1 a\n1 b\n", "px-marks 1\n1\n1 a\n2 a\n", "px-marks 1\n1\n1x a\n"}) {
    EXPECT_FALSE(MarkAllocator::parse(text)) << text;
  }
}

}  // namespace
}  // namespace px::broker
