// SPDX-License-Identifier: MIT
#include "plan/name_wire.h"

#include <algorithm>
#include <iterator>

#include "plan/names.h"

namespace px::plan {
namespace {

bool holds_names(std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const auto name = dns::Name::from_wire(bytes);
    if (!name) return false;
    bytes = bytes.subspan(name->wire().size());
  }
  return true;
}

}  // namespace

bool Lookup::is_valid() const {
  if (types[0] == 0 || (flags & ~kLookupFlags) != 0) return false;
  if (timeout_s > kLongestNameTimeoutS || attempts > kMostNameAttempts) return false;
  if (search_length > sizeof search) return false;
  const auto own = dns::Name::from_wire(std::span(name).first(name_length));
  return own && own->wire().size() == name_length &&
         holds_names(std::span(search).first(search_length));
}

bool LookupAnswer::is_valid() const {
  if (outcome < LookupOutcome::kAnswered || outcome > LookupOutcome::kOfHost) return false;
  const bool fits = std::all_of(std::begin(lengths), std::end(lengths),
                                [](std::uint32_t length) { return length <= kLargestReply; });
  return fits && offset <= size() && offset % kPart == 0;
}

}  // namespace px::plan
