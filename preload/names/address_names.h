// SPDX-License-Identifier: MIT
// getaddrinfo(3) and getnameinfo(3) for names and addresses that are bundles (PB-2, PB-3, PB-7,
// PB-9). Holds nothing but references.
#pragma once

#include <netdb.h>

#include "libbundle/core/bundle.h"
#include "preload/names/answer_notes.h"
#include "preload/names/bundle_cache.h"
#include "preload/names/name_query.h"
#include "preload/names/ordered_lookup.h"
#include "preload/names/profile_names.h"
#include "preload/process/symbols.h"
#include "preload/session/current_plan.h"
#include "preload/session/decider.h"
#include "preload/session/member_health.h"
#include "preload/sockets/kernel_transports.h"

namespace px::shim {

class AddressNames {
 public:
  constexpr AddressNames(const Symbols& libc, OrderedLookup& ordered, ProfileNames& profile,
                         const CurrentPlan& plan, Decider& decider, const MemberHealth& health,
                         KernelTransports& transports, BundleCache& cache, AnswerNotes& notes)
      : libc_(libc),
        ordered_(ordered),
        profile_(profile),
        plan_(plan),
        decider_(decider),
        health_(health),
        transports_(transports),
        cache_(cache),
        notes_(notes) {}

  // A name that is ordinary is asked for as AF_BUNDLE.
  [[nodiscard]] int getaddrinfo(const NameQuery& query, const char* service, const addrinfo& hints,
                                addrinfo** list);
  [[nodiscard]] int getnameinfo(const sockaddr* address, socklen_t length, char* host,
                                socklen_t host_size, char* service, socklen_t service_size,
                                int flags) const;

 private:
  struct Transports;
  [[nodiscard]] Transports transports_for(const bundle::Bundle& bundle);
  // Whether this program is to get entries of AF_BUNDLE where it left the family open.
  [[nodiscard]] bool gives_entries(const NameQuery& query, const addrinfo& hints,
                                   const Transports& transports) const;
  [[nodiscard]] int list_members(const NameQuery& query, const char* service, const addrinfo& hints,
                                 addrinfo** list);
  // All addresses of an ordinary name, where there is more than one.
  [[nodiscard]] int list_all(const NameQuery& query, const char* service, const addrinfo& hints,
                             addrinfo** list);
  void remember(const bundle::Bundle& bundle, const NameQuery& query);

  const Symbols& libc_;
  OrderedLookup& ordered_;
  ProfileNames& profile_;
  const CurrentPlan& plan_;
  Decider& decider_;
  const MemberHealth& health_;
  KernelTransports& transports_;
  BundleCache& cache_;
  AnswerNotes& notes_;
};

}  // namespace px::shim
