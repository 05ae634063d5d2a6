// SPDX-License-Identifier: MIT
// gethostbyname(3) and its kin for names that are bundles: the addresses of one family, since a
// hostent has no room for more; a connect to one of them knows the others. All other names pass to
// libc untouched. One static instance. As safe as libc's own calls are: gethostbyname and
// gethostbyname2 answer in static storage, the others in the caller's; no locks, no heap.
#pragma once

#include <netdb.h>

#include <array>
#include <cstddef>

#include "preload/names/bundle_cache.h"
#include "preload/names/host_entry.h"
#include "preload/names/name_query.h"
#include "preload/process/symbols.h"
#include "preload/session/plan_holder.h"

namespace px::shim {

class HostNames {
 public:
  constexpr HostNames(const Symbols& libc, PlanHolder& holder, BundleCache& known)
      : libc_(libc), holder_(holder), known_(known) {}

  // Arguments, results and errors (h_errno for the first two) are those of the calls in libc.
  [[nodiscard]] hostent* gethostbyname(const char* name);
  [[nodiscard]] hostent* gethostbyname2(const char* name, int family);
  [[nodiscard]] int gethostbyname_r(const char* name, hostent* entry, char* room, size_t size,
                                    hostent** result, int* error);
  [[nodiscard]] int gethostbyname2_r(const char* name, int family, hostent* entry, char* room,
                                     size_t size, hostent** result, int* error);

 private:
  // An EAI_*, or 0 and the members of that family.
  [[nodiscard]] int find_members(const NameQuery& asked, int family, bundle::Bundle* found);
  // The addresses of an alias, if there are several; they are libc's answer, untouched.
  hostent* noted(hostent* entry, const NameQuery& asked);
  [[nodiscard]] hostent* answer_statically(const NameQuery& asked, int family);
  [[nodiscard]] int answer_into(const NameQuery& asked, int family, hostent* entry,
                                std::span<char> room, hostent** result, int* error);
  void remember(const bundle::Bundle& bundle, const NameQuery& asked);

  const Symbols& libc_;
  PlanHolder& holder_;
  BundleCache& known_;
  // Overwritten by the next call, as libc's own is.
  hostent entry_{};
  std::array<char, kHostEntryRoom> room_{};
};

}  // namespace px::shim
