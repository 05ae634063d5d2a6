// SPDX-License-Identifier: MIT
// bind(2) of bundles. SCTP binds to exactly the set. TCP and MPTCP can bind only to one address or
// to all, so they get the port on all of them, and a filter where the kernel permits it; calls that
// no filter keeps out, accept(2) hangs up on (accepting.h). Holds nothing but references. Callable
// from any thread and from signal handlers; errno changes only with a failure.
#pragma once

#include <sys/socket.h>

#include "preload/bundles/listener_filters.h"
#include "preload/names/bundle_cache.h"
#include "preload/process/symbols.h"
#include "preload/process/system_calls.h"
#include "preload/session/current_plan.h"
#include "preload/sockets/call_address.h"
#include "preload/sockets/fd_table.h"

namespace px::shim {

class BundleBinding {
 public:
  constexpr BundleBinding(const Symbols& libc, const SystemCalls& system, FdTable& fds,
                          const CurrentPlan& plan, const BundleCache& cache,
                          ListenerFilters& listener_filters)
      : libc_(libc),
        system_(system),
        fds_(fds),
        plan_(plan),
        cache_(cache),
        listener_filters_(listener_filters) {}

  // Whether bind() may be to make a call on this socket that names no bundle.
  [[nodiscard]] bool may_concern(int fd) const {
    return fds_.notes(fd).role == BundleRole::kBundle || !listener_filters_.empty();
  }
  // Whether bind() is to make this call: it names a bundle, is on a socket of AF_BUNDLE, or names
  // an address and port of a bundle that another socket of the process is bound to.
  [[nodiscard]] bool takes(int fd, const CallAddress& named) const;

  // As the program's bind(2), and noted. EINVAL: no well-formed bundle; EAFNOSUPPORT: no internet
  // stream socket, or an IPv4 one and an IPv6 address; EADDRNOTAVAIL: one of the addresses is not
  // the host's; ENOBUFS: ListenerFilters::kSize others are bound, or the descriptor's number is
  // beyond FdTable::kSize. EADDRINUSE: also where SO_REUSEADDR would have let a single address be
  // bound beside a bundle with it, for listen(2) to fail.
  [[nodiscard]] int bind(int fd, const CallAddress& named);

 private:
  using Errno = int;
  // A stream socket that is to be bound to an address of a bundle.
  [[nodiscard]] bool is_claimed(int fd, const bundle::Endpoint& endpoint) const;
  [[nodiscard]] int bind_one(int fd, const bundle::Endpoint& endpoint, sa_family_t family);
  [[nodiscard]] Errno bind_all(int fd, const bundle::Bundle& set, sa_family_t family);
  [[nodiscard]] Errno bind_wildcard(int fd, const bundle::Bundle& set, sa_family_t family);
  [[nodiscard]] Errno check_own(const bundle::Bundle& set) const;
  [[nodiscard]] Errno check_own(const bundle::Endpoint& endpoint) const;
  [[nodiscard]] bool filter(int fd, const bundle::Bundle& set) const;
  void note(int fd, BundleRole role, FdKind kind);

  const Symbols& libc_;
  const SystemCalls& system_;
  FdTable& fds_;
  const CurrentPlan& plan_;
  const BundleCache& cache_;
  ListenerFilters& listener_filters_;
};

}  // namespace px::shim
