// SPDX-License-Identifier: MIT
// getaddrinfo(3) and getnameinfo(3) for names and addresses that are bundles (PB-2, PB-3, PB-7,
// PB-9); all others pass to libc untouched. One static instance, without locks or state of its own.
// As safe as libc's own calls are: any thread, a forked child, before main; not signal handlers.
#pragma once

#include <netdb.h>

#include "libbundle/core/bundle.h"
#include "preload/names/bundle_cache.h"
#include "preload/names/name_query.h"
#include "preload/process/symbols.h"
#include "preload/session/plan_holder.h"
#include "preload/sockets/kernel_transports.h"

namespace px::shim {

class AddressNames {
 public:
  constexpr AddressNames(const Symbols& libc, PlanHolder& holder, KernelTransports& transports,
                         BundleCache& known)
      : libc_(libc), holder_(holder), transports_(transports), known_(known) {}

  // Arguments, results and errors are those of the calls in libc.
  [[nodiscard]] int getaddrinfo(const char* node, const char* service, const addrinfo* hints,
                                addrinfo** list);
  [[nodiscard]] int getnameinfo(const sockaddr* address, socklen_t length, char* host,
                                socklen_t host_size, char* service, socklen_t service_size,
                                int flags) const;

 private:
  struct Transports;
  [[nodiscard]] Transports transports_for(const bundle::Bundle& bundle);
  // Whether this program is to get entries of AF_BUNDLE where it left the family open.
  [[nodiscard]] bool gives_entries(const NameQuery& asked) const;
  [[nodiscard]] int list_members(const NameQuery& asked, const char* service, const addrinfo& hints,
                                 addrinfo** list);
  // All addresses of an ordinary name, where there is more than one.
  [[nodiscard]] int list_all(const NameQuery& asked, const char* service, const addrinfo& hints,
                             addrinfo** list);
  void remember(const bundle::Bundle& bundle, const NameQuery& asked);

  const Symbols& libc_;
  PlanHolder& holder_;
  KernelTransports& transports_;
  BundleCache& known_;
};

}  // namespace px::shim
