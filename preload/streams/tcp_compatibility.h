// SPDX-License-Identifier: MIT
// What programs that were written for TCP expect of a stream, where the stream is an SCTP
// association or an MPTCP connection: TCP's options; of SCTP also writes of any size, and one peer.
// Of sockets nothing is remembered, so that inherited and received descriptors are served alike: it
// looks at calls that have failed, and at few others, and asks the kernel only then. Of the plan it
// remembers whether there can be SCTP. Callable from any thread and from signal handlers; errno
// changes only with a failure.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <atomic>
#include <cstdint>
#include <span>

#include "preload/process/symbols.h"
#include "preload/process/system_calls.h"
#include "preload/session/current_plan.h"

namespace px::shim {

class TcpCompatibility {
 public:
  constexpr TcpCompatibility(const Symbols& libc, const SystemCalls& system,
                             const CurrentPlan& plan)
      : libc_(libc), system_(system), plan_(plan) {}

  // The result of a connect(2) that has just failed, errno saying how: a blocking connect that the
  // kernel began again goes on.
  [[nodiscard]] int connect_failed(int fd) const;

  // The result of a call that wrote `parts` and has just failed, errno saying how: too much for one
  // message is sent in several, no bytes are a result of 0, and urgent data are sent as plain data.
  // As of a TCP socket: less than everything where the rest would block or fail.
  [[nodiscard]] ssize_t write_failed(int fd, std::span<const iovec> parts, int flags) const;

  // The results of setsockopt(2) and getsockopt(2) that gave `result`. TCP_NODELAY is SCTP's own
  // option; other options that tune TCP are accepted, and answered with the value that says least.
  // SCTP's protocol is TCP.
  [[nodiscard]] int option_set(int result, int fd, int level, int name, const void* value,
                               socklen_t length) const;
  [[nodiscard]] int option_got(int result, int fd, int level, int name, void* value,
                               socklen_t* length) const;

  // The result of ioctl(SIOCOUTQ), which has just failed, errno saying how. SCTP's figure is that
  // of the kernel's memory: more than the bytes that the peer has not acknowledged, 0 without any.
  [[nodiscard]] int queue_query_failed(int fd, void* answer) const;

  // The address that data is sent to, in place of the one that getpeername(2) has given: the kernel
  // tells the last address that was named in the connect, whether or not it answered.
  void correct_peer(int fd, sockaddr* address, socklen_t room, socklen_t* length) const;

  // Whether a socket can be SCTP's at all: what every other call pays.
  [[nodiscard]] bool may_be_sctp() const { return !rules_out_sctp() && reads_sctp(); }
  // Whether no socket can be SCTP's, as was found out before: what every write pays. It may not be
  // known yet; may_be_sctp() finds it out.
  [[nodiscard]] bool rules_out_sctp() const {
    return plan_.version() == without_sctp_.load(std::memory_order_relaxed);
  }
  // Asks the kernel where the plan allows it.
  [[nodiscard]] bool is_sctp(int fd) const {
    return may_be_sctp() && is(plan::BundleTransport::kSctp, fd);
  }

 private:
  [[nodiscard]] bool may_be(plan::BundleTransport transport) const;
  [[nodiscard]] bool reads_sctp() const;
  [[nodiscard]] bool is_mptcp(int fd) const {
    return may_be(plan::BundleTransport::kMptcp) && is(plan::BundleTransport::kMptcp, fd);
  }
  // Asks the kernel.
  [[nodiscard]] bool is(plan::BundleTransport transport, int fd) const;
  [[nodiscard]] ssize_t send_in_pieces(int fd, std::span<const iovec> parts, int flags) const;

  const Symbols& libc_;
  const SystemCalls& system_;
  const CurrentPlan& plan_;
  // CurrentPlan::version() of a plan that was seen to have no transport of SCTP, and of one with
  // it.
  mutable std::atomic<std::uint64_t> without_sctp_{0};
  mutable std::atomic<std::uint64_t> with_sctp_{~std::uint64_t{0}};
};

}  // namespace px::shim
