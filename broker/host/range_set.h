// SPDX-License-Identifier: MIT
// Sets of addresses as sorted, disjoint, inclusive ranges: joined, cut and searched in linear or
// logarithmic time, from the first address to the last without overflow. Pure values; callable
// from any thread.
#pragma once

#include <optional>

#include "broker/host/snapshot.h"

namespace px::broker {

// The address after or before; nothing past the last and before the first.
[[nodiscard]] std::optional<Address> address_after(const Address& address);
[[nodiscard]] std::optional<Address> address_before(const Address& address);

// The addresses of a network; the length counts in the sixteen-byte form, host bits are ignored.
[[nodiscard]] plan::Range network_range(const Address& base, unsigned prefix_length);

// Any ranges at all -> the same addresses sorted, disjoint, and no two that touch.
[[nodiscard]] Ranges merge(Ranges ranges);

// What is in either, in `from` but not in `minus`, in both. The arguments must be merged; so are
// the results.
[[nodiscard]] Ranges unite(const Ranges& a, const Ranges& b);
[[nodiscard]] Ranges subtract(const Ranges& from, const Ranges& minus);
[[nodiscard]] Ranges intersect(const Ranges& a, const Ranges& b);

// `ranges` must be merged.
[[nodiscard]] bool contains(const Ranges& ranges, const Address& address);

}  // namespace px::broker
