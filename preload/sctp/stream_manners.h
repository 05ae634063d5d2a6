// SPDX-License-Identifier: MIT
// What programs that were written for TCP expect of a stream, where the stream is an SCTP
// association or an MPTCP connection: TCP's options; of SCTP also writes of any size, and one peer.
// Remembers nothing, so that inherited
// and received descriptors are served alike: it looks at calls that have failed, and at few others,
// and asks the kernel only then. Callable from any thread and from signal handlers; errno changes
// only with a failure.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <span>

#include "preload/plan_holder.h"
#include "preload/symbols.h"
#include "preload/system_calls.h"

namespace px::shim {

class StreamManners {
 public:
  constexpr StreamManners(const Symbols& libc, const SystemCalls& system, const PlanHolder& holder)
      : libc_(libc), system_(system), holder_(holder) {}

  // The result of a call that wrote `parts` and has just failed, errno saying how: what was too
  // much for one message is sent in several, nothing is 0 bytes, and there is no urgent data. As of
  // a TCP socket: less than everything where the rest would block or fail.
  [[nodiscard]] ssize_t write_failed(int fd, std::span<const iovec> parts, int flags) const;

  // The results of setsockopt(2) and getsockopt(2) that gave `result`. TCP_NODELAY is SCTP's own,
  // other options that tune TCP are accepted and answered with what says least; SCTP's protocol is
  // TCP.
  [[nodiscard]] int option_set(int result, int fd, int level, int name, const void* value,
                               socklen_t length) const;
  [[nodiscard]] int option_got(int result, int fd, int level, int name, void* value,
                               socklen_t* length) const;

  // The address that data is sent to, in place of what getpeername(2) has given: the kernel tells
  // the last one that was named in the connect, whoever has it.
  void correct_peer(int fd, sockaddr* address, socklen_t room, socklen_t* length) const;

  // Whether anything of the above can be: what all others pay.
  [[nodiscard]] bool may_be_sctp() const { return may_be(plan::BundleTransport::kSctp); }

 private:
  [[nodiscard]] bool may_be(plan::BundleTransport transport) const;
  [[nodiscard]] bool is(plan::BundleTransport transport, int fd) const;
  [[nodiscard]] bool is_sctp(int fd) const { return is(plan::BundleTransport::kSctp, fd); }
  [[nodiscard]] ssize_t send_in_pieces(int fd, std::span<const iovec> parts, int flags) const;

  const Symbols& libc_;
  const SystemCalls& system_;
  const PlanHolder& holder_;
};

}  // namespace px::shim
