// SPDX-License-Identifier: MIT
// Which number each wanted routing table has, and the SO_MARK value it becomes under the mask. A
// number stays its key's while the key is wanted, over restarts too; one that was given up comes
// last, since sockets that still carry it must not meet another table. A value; pure.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "broker/routing/routing_demand.h"
#include "util/error.h"

namespace px::broker {

// How many values a mask has room for, 0 apart; never more than there are tables.
[[nodiscard]] std::uint32_t mark_count(std::uint32_t mask);
// The number's bits in the mask's: for a contiguous mask a shift.
[[nodiscard]] std::uint32_t mark_of(std::uint32_t number, std::uint32_t mask);

class MarkAllocator {
 public:
  // What text() wrote; an error for anything else.
  [[nodiscard]] static Expected<MarkAllocator> parse(std::string_view text);
  [[nodiscard]] std::string text() const;

  // The same with numbers for all these keys besides those it has. An error where the mask has
  // fewer values.
  [[nodiscard]] Expected<MarkAllocator> with(const std::set<std::string>& keys,
                                             std::uint32_t mask) const;
  // The same without any other keys.
  [[nodiscard]] MarkAllocator only(const std::set<std::string>& keys) const;

  [[nodiscard]] const std::map<std::string, std::uint32_t>& numbers() const { return numbers_; }
  [[nodiscard]] Marks marks(std::uint32_t mask) const;

  friend bool operator==(const MarkAllocator&, const MarkAllocator&) = default;

 private:
  std::uint32_t last_ = 0;  // the number that was given out last
  std::map<std::string, std::uint32_t> numbers_;
};

}  // namespace px::broker
