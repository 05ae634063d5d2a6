// SPDX-License-Identifier: MIT
#include "broker/host/range_set.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>

namespace px::broker {

std::optional<Address> address_after(const Address& address) {
  Address next = address;
  for (std::size_t i = next.bytes.size(); i-- > 0;) {
    if (++next.bytes[i] != 0) return next;
  }
  return std::nullopt;
}

std::optional<Address> address_before(const Address& address) {
  Address previous = address;
  for (std::size_t i = previous.bytes.size(); i-- > 0;) {
    if (previous.bytes[i]-- != 0) return previous;
  }
  return std::nullopt;
}

plan::Range network_range(const Address& base, unsigned prefix_length) {
  plan::Range range{base, base};
  for (unsigned i = 0; i < base.bytes.size(); ++i) {
    const unsigned kept = std::clamp(prefix_length, 8 * i, 8 * i + 8) - 8 * i;
    const auto host_bits = static_cast<std::uint8_t>(0xff >> kept);
    range.low.bytes[i] &= static_cast<std::uint8_t>(~host_bits);
    range.high.bytes[i] |= host_bits;
  }
  return range;
}

Ranges merge(Ranges ranges) {
  std::sort(ranges.begin(), ranges.end(),
            [](const plan::Range& a, const plan::Range& b) { return a.low < b.low; });
  Ranges merged;
  for (const plan::Range& range : ranges) {
    if (!merged.empty()) {
      plan::Range& last = merged.back();
      const auto after_last = address_after(last.high);
      if (!after_last || range.low <= *after_last) {
        last.high = std::max(last.high, range.high);
        continue;
      }
    }
    merged.push_back(range);
  }
  return merged;
}

Ranges unite(const Ranges& a, const Ranges& b) {
  if (a.empty()) return b;
  Ranges both = a;
  both.insert(both.end(), b.begin(), b.end());
  return merge(std::move(both));
}

Ranges subtract(const Ranges& from, const Ranges& minus) {
  Ranges left;
  auto cut = minus.begin();
  for (const plan::Range& range : from) {
    std::optional<Address> low = range.low;
    while (cut != minus.end() && cut->high < range.low) ++cut;
    for (; cut != minus.end() && cut->low <= range.high; ++cut) {
      if (*low < cut->low) left.push_back({*low, *address_before(cut->low)});
      low = cut->high < range.high ? address_after(cut->high) : std::nullopt;
      // This cut may reach into the next range as well.
      if (!low) break;
    }
    if (low) left.push_back({*low, range.high});
  }
  return left;
}

Ranges intersect(const Ranges& a, const Ranges& b) {
  Ranges both;
  auto i = a.begin();
  auto j = b.begin();
  while (i != a.end() && j != b.end()) {
    const Address low = std::max(i->low, j->low);
    const Address high = std::min(i->high, j->high);
    if (low <= high) both.push_back({low, high});
    if (i->high < j->high) {
      ++i;
    } else {
      ++j;
    }
  }
  return both;
}

bool contains(const Ranges& ranges, const Address& address) {
  const auto after =
      std::upper_bound(ranges.begin(), ranges.end(), address,
                       [](const Address& a, const plan::Range& range) { return a < range.low; });
  return after != ranges.begin() && address <= std::prev(after)->high;
}

}  // namespace px::broker
