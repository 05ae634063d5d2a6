// SPDX-License-Identifier: MIT
// From a notation to addresses: numeric members as they are, names through libc's own resolver, in
// the order written. Where names are the profile's, all are asked for at once; else one after
// another. Asks DNS as getaddrinfo(3) does and allocates in between; callable wherever
// getaddrinfo(3) is, from any thread.
#pragma once

#include <span>

#include "libbundle/core/bundle.h"
#include "libbundle/core/notation.h"
#include "preload/names/ordered_lookup.h"
#include "preload/names/profile_names.h"

namespace px::shim {

// Of getaddrinfo's hints, those that choose addresses.
struct AddressHints {
  int family = AF_UNSPEC;  // AF_UNSPEC, AF_INET or AF_INET6
  int flags = 0;           // AI_*; AI_NUMERICHOST: a member that is a name is an error
};

// 0 and a bundle of at least one member without ports; or the EAI_* of a member, where none has an
// address. A member that has none is left out, and an address that is there twice is kept once.
[[nodiscard]] int look_up_members(OrderedLookup& libc, ProfileNames& profile,
                                  std::span<const bundle::Member> members,
                                  const AddressHints& hints, bundle::Bundle* found);

}  // namespace px::shim
