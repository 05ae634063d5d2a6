// SPDX-License-Identifier: MIT
// accept(2) and accept4(2) on sockets of AF_BUNDLE and those bound to a bundle: a call to an
// address that is none of the bundle's is hung up on (reset), and the next call taken. Holds
// nothing but references. Callable from any thread and from signal handlers; errno changes only
// with a failure.
#pragma once

#include <sys/socket.h>

#include <optional>

#include "preload/bundles/listener_filters.h"
#include "preload/process/symbols.h"
#include "preload/process/system_calls.h"
#include "preload/sockets/fd_table.h"

namespace px::shim {

class BundleAccepting {
 public:
  constexpr BundleAccepting(const Symbols& libc, const SystemCalls& system, FdTable& fds,
                            const ListenerFilters& listener_filters)
      : libc_(libc), system_(system), fds_(fds), listener_filters_(listener_filters) {}

  // As the program's accept(2), or accept4(2) where there are flags; the accepted socket is
  // remembered. A caller is named by a plain sockaddr_in where it has an IPv4 address. A socket
  // that blocks waits for the next call after one that it did not admit.
  [[nodiscard]] int accept(int fd, sockaddr* address, socklen_t* length, std::optional<int> flags);

 private:
  [[nodiscard]] int accept_any(int fd, sockaddr* address, socklen_t* length,
                               std::optional<int> flags) const;
  [[nodiscard]] BundleRole role_of(int fd);
  [[nodiscard]] bool is_called(int fd, const bundle::Bundle& set) const;
  void hang_up(int fd) const;

  const Symbols& libc_;
  const SystemCalls& system_;
  FdTable& fds_;
  const ListenerFilters& listener_filters_;
};

}  // namespace px::shim
