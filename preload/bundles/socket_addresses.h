// SPDX-License-Identifier: MIT
// getsockname(2) and getpeername(2) of sockets of AF_BUNDLE and of those that they accept; every
// other socket's call is libc's own. Holds nothing but references. Callable from any thread and
// from signal handlers; errno changes only with a failure.
#pragma once

#include <sys/socket.h>

#include "libbundle/core/bundle.h"
#include "preload/bundles/listener_filters.h"
#include "preload/process/symbols.h"
#include "preload/process/system_calls.h"
#include "preload/sockets/fd_table.h"

namespace px::shim {

// The kernel's answer, a v4-mapped address as the IPv4 address that it is, to a program that asked
// for `*length` bytes: a longer answer is cut, and `*length` becomes the whole size. Null pointers:
// the program does not want to know.
// False where the program's memory does not take it.
[[nodiscard]] bool give_single(const sockaddr_storage& answer, socklen_t answer_length,
                               sockaddr* address, socklen_t* length);

class SocketAddresses {
 public:
  constexpr SocketAddresses(const Symbols& libc, const SystemCalls& system, const FdTable& fds,
                            const ListenerFilters& listener_filters)
      : libc_(libc), system_(system), fds_(fds), listener_filters_(listener_filters) {}

  // As libc's. A socket of AF_BUNDLE has a bundle: the set that it is bound to, the addresses of
  // its association or of its subflows, or the one address that it has. More than BUNDLE_SIZE_USUAL
  // bytes only where there is room for any bundle.
  [[nodiscard]] int getsockname(int fd, sockaddr* address, socklen_t* length) const;
  [[nodiscard]] int getpeername(int fd, sockaddr* address, socklen_t* length) const;

 private:
  enum class End { kOwn, kPeer };
  [[nodiscard]] int name(End end, int fd, sockaddr* address, socklen_t* length) const;
  [[nodiscard]] bundle::Bundle bundle_at(End end, int fd, const bundle::Endpoint& single,
                                         BundleRole role) const;

  const Symbols& libc_;
  const SystemCalls& system_;
  const FdTable& fds_;
  const ListenerFilters& listener_filters_;
};

}  // namespace px::shim
