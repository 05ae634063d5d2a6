// SPDX-License-Identifier: MIT
// gethostbyname(3) and its kin for names that are bundles: the addresses of one family, since a
// hostent has no room for more; a connect to one of them knows the others. One static instance; no
// locks, no heap.
#pragma once

#include <netdb.h>

#include <array>
#include <cstddef>
#include <span>

#include "preload/names/answer_notes.h"
#include "preload/names/bundle_cache.h"
#include "preload/names/host_entry.h"
#include "preload/names/name_query.h"
#include "preload/names/ordered_lookup.h"
#include "preload/names/profile_names.h"
#include "preload/session/decider.h"
#include "preload/session/member_health.h"

namespace px::shim {

class HostNames {
 public:
  constexpr HostNames(OrderedLookup& libc, ProfileNames& profile, Decider& decider,
                      const MemberHealth& health, BundleCache& cache, AnswerNotes& notes)
      : libc_(libc),
        profile_(profile),
        decider_(decider),
        health_(health),
        cache_(cache),
        notes_(notes) {}

  // Of a bundle, or of text that was meant as one. The first answers in static storage, like libc,
  // the other in the caller's room.
  [[nodiscard]] hostent* gethostbyname(const NameQuery& query, int family);
  [[nodiscard]] int gethostbyname_r(const NameQuery& query, int family, hostent* entry,
                                    std::span<char> room, hostent** result, int* error);
  // Notes what libc has answered, and remembers the addresses of an alias, if there are several;
  // the answer is libc's, untouched.
  hostent* remembered(hostent* entry, const NameQuery& query);

 private:
  // An EAI_*, or 0 and the members of that family.
  [[nodiscard]] int find_members(const NameQuery& query, int family, bundle::Bundle* found);
  void remember(const bundle::Bundle& bundle, const NameQuery& query);

  OrderedLookup& libc_;
  ProfileNames& profile_;
  Decider& decider_;
  const MemberHealth& health_;
  BundleCache& cache_;
  AnswerNotes& notes_;
  // Overwritten by the next call, as libc's own is.
  hostent entry_{};
  std::array<char, kHostEntryRoom> room_{};
};

}  // namespace px::shim
