// SPDX-License-Identifier: MIT
#include "broker/routing/mark_allocator.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <iterator>
#include <sstream>

#include "broker/host/own_routing.h"
#include "broker/routing/egress.h"

namespace px::broker {
namespace {

constexpr char kHeading[] = "px-marks 1";

bool number_from(std::string_view text, std::uint32_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

// The egresses of port routes have a table and no mark.
bool is_marked(const std::string& key) {
  return !egress_from_key(key);
}

}  // namespace

std::uint32_t mark_count(std::uint32_t mask) {
  const int bits = std::popcount(mask);
  const std::uint64_t values = (std::uint64_t{1} << bits) - 1;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(values, kMostTables));
}

std::uint32_t mark_of(std::uint32_t number, std::uint32_t mask) {
  std::uint32_t mark = 0;
  for (std::uint32_t left = mask; left != 0 && number != 0; left &= left - 1, number >>= 1) {
    if ((number & 1) != 0) mark |= left & -left;
  }
  return mark;
}

Expected<MarkAllocator> MarkAllocator::parse(std::string_view text) {
  std::istringstream lines{std::string(text)};
  std::string line;
  MarkAllocator allocator;
  std::set<std::uint32_t> taken;
  if (!std::getline(lines, line) || line != kHeading) return fail("no list of marks");
  if (!std::getline(lines, line) || !number_from(line, allocator.last_) ||
      allocator.last_ > kMostTables) {
    return fail("no number in line 2");
  }
  for (int place = 3; std::getline(lines, line); ++place) {
    const std::size_t space = line.find(' ');
    std::uint32_t number = 0;
    const bool good = space != std::string::npos && space + 1 < line.size() &&
                      number_from(std::string_view(line).substr(0, space), number) && number >= 1 &&
                      number <= kMostTables && taken.insert(number).second &&
                      allocator.numbers_.emplace(line.substr(space + 1), number).second;
    if (!good) return fail("no number and key in line " + std::to_string(place));
  }
  return allocator;
}

std::string MarkAllocator::text() const {
  std::string text = std::string(kHeading) + "\n" + std::to_string(last_) + "\n";
  for (const auto& [key, number] : numbers_) text += std::to_string(number) + " " + key + "\n";
  return text;
}

Expected<MarkAllocator> MarkAllocator::with(const std::set<std::string>& keys,
                                            std::uint32_t mask) const {
  const std::uint32_t count = mark_count(mask);
  MarkAllocator allocator = *this;
  // Under a narrower mask than before, what does not fit any more is numbered anew.
  std::erase_if(allocator.numbers_,
                [&](const auto& entry) { return entry.second > count && is_marked(entry.first); });
  std::set<std::uint32_t> taken;
  for (const auto& [key, number] : allocator.numbers_) taken.insert(number);
  for (const std::string& key : keys) {
    if (allocator.numbers_.contains(key)) continue;
    if (!is_marked(key)) {
      // From the other end: what programs ask for leaves the policy its marks.
      std::uint32_t number = kMostTables;
      while (number > 0 && !taken.insert(number).second) --number;
      if (number == 0) return fail("there is no routing table left");
      allocator.numbers_.emplace(key, number);
      continue;
    }
    const auto used = std::distance(taken.begin(), taken.upper_bound(count));
    if (static_cast<std::uint64_t>(used) >= count) {
      return fail("the mark mask has room for " + std::to_string(count) +
                  " next hops at a time, those of the policy in force included, and " +
                  std::to_string(keys.size()) + " are wanted; set a wider broker.mark-mask");
    }
    do {
      allocator.last_ = allocator.last_ >= count ? 1 : allocator.last_ + 1;
    } while (!taken.insert(allocator.last_).second);
    allocator.numbers_.emplace(key, allocator.last_);
  }
  return allocator;
}

MarkAllocator MarkAllocator::only(const std::set<std::string>& keys) const {
  MarkAllocator allocator = *this;
  std::erase_if(allocator.numbers_, [&](const auto& entry) { return !keys.contains(entry.first); });
  return allocator;
}

Marks MarkAllocator::marks(std::uint32_t mask) const {
  Marks marks;
  for (const auto& [key, number] : numbers_) {
    if (is_marked(key)) marks.emplace(key, mark_of(number, mask));
  }
  return marks;
}

}  // namespace px::broker
