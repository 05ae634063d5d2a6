// SPDX-License-Identifier: MIT
#include "preload/bundles/accepting.h"

#include <cerrno>

#include "libbundle/core/address.h"
#include "preload/bundles/socket_addresses.h"
#include "preload/process/program_memory.h"
#include "preload/sockets/kernel_socket.h"

namespace px::shim {

int BundleAccepting::accept(int fd, sockaddr* address, socklen_t* length,
                            std::optional<int> flags) {
  const BundleRole role = role_of(fd);
  if (role == BundleRole::kNone || (address != nullptr && !can_write(length, sizeof *length))) {
    const int accepted = accept_any(fd, address, length, flags);
    if (accepted >= 0) fds_.accepted(fd, accepted);
    return accepted;
  }
  const auto filter = role == BundleRole::kBound ? listener_filters_.find(fd) : std::nullopt;
  sockaddr_storage caller{};
  for (;;) {
    socklen_t caller_length = sizeof caller;
    const int accepted =
        accept_any(fd, reinterpret_cast<sockaddr*>(&caller), &caller_length, flags);
    if (accepted < 0) return accepted;
    fds_.accepted(fd, accepted);
    if (!filter || filter->in_kernel || is_called(accepted, filter->set)) {
      fds_.set_notes(accepted, {.role = BundleRole::kAccepted});
      if (give_single(caller, caller_length, address, length)) return accepted;
      // As the kernel does, the caller is lost.
      (void)system_.close(accepted);
      errno = EFAULT;
      return -1;
    }
    hang_up(accepted);
  }
}

int BundleAccepting::accept_any(int fd, sockaddr* address, socklen_t* length,
                                std::optional<int> flags) const {
  if (flags) return libc_.accept4(fd, address, length, *flags);
  return libc_.accept(fd, address, length);
}

// A descriptor that was received in a message is unknown here, and may be a bound one all the same.
BundleRole BundleAccepting::role_of(int fd) {
  FdNotes notes = fds_.notes(fd);
  if (notes.role != BundleRole::kNone || listener_filters_.empty()) return notes.role;
  if (fds_.get(fd).kind != FdKind::kUnknown || !listener_filters_.find(fd))
    return BundleRole::kNone;
  notes.role = BundleRole::kBound;
  fds_.set_notes(fd, notes);
  return notes.role;
}

bool BundleAccepting::is_called(int fd, const bundle::Bundle& set) const {
  const KeepErrno keep;
  const auto called = own_endpoint(system_, fd);
  return called && admits(set, *called);
}

void BundleAccepting::hang_up(int fd) const {
  const KeepErrno keep;
  const linger reset{.l_onoff = 1, .l_linger = 0};
  (void)system_.setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  (void)system_.close(fd);
}

}  // namespace px::shim
