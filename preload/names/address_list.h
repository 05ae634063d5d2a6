// SPDX-License-Identifier: MIT
// The list that getaddrinfo(3) answers a bundle with. The only place of libpx.so that allocates:
// the answer is the program's, and libc's freeaddrinfo(3) frees it, so each entry is one block of
// malloc(3) with its address behind it, and ai_canonname another. No locks, no state; callable
// wherever getaddrinfo(3) is, from any thread.
#pragma once

#include <netdb.h>

#include <cstddef>
#include <span>
#include <string_view>

#include "libbundle/core/bundle.h"
#include "plan/bundle_layout.h"

namespace px::shim {

struct ListWanted {
  int family = AF_UNSPEC;  // of the hints: AF_UNSPEC, AF_INET, AF_INET6 or AF_BUNDLE
  int flags = 0;           // of the hints: programs find them in ai_flags
  // libc's list for any one address: a socket type and protocol an entry, the same port in each.
  // Looked at up to `kinds_end`.
  const addrinfo* kinds = nullptr;
  const addrinfo* kinds_end = nullptr;
  // The transports of streams, in order of preference.
  std::span<const plan::BundleTransport> transports = {};
  bool bundle_entries = true;            // for AF_UNSPEC; AF_BUNDLE has them always
  std::string_view canonical_name = {};  // of the first entry; empty: none
};

// First, for streams, an entry of AF_BUNDLE for each transport, of `bundle` as it is; then entries
// of single addresses in the order of `singles`, all by SCTP or MPTCP, where these are among the
// transports, before all by what libc gives. AF_BUNDLE gives the former alone, AF_INET and AF_INET6
// the latter. 0 and the list, which is never empty; else EAI_SOCKTYPE (AF_BUNDLE has streams
// alone) or EAI_MEMORY.
[[nodiscard]] int make_address_list(const bundle::Bundle& bundle, const bundle::Bundle& singles,
                                    const ListWanted& wanted, addrinfo** list);

// Puts entries of AF_BUNDLE alone, made like that, before a list of libc's. 0 or EAI_MEMORY.
[[nodiscard]] int prepend_bundle_entries(const bundle::Bundle& bundle, const ListWanted& wanted,
                                         addrinfo** list);

}  // namespace px::shim
