// SPDX-License-Identifier: MIT
// px's mark on the program's sockets: what it is, asked of the kernel, and changed by the broker,
// which alone may. The mark chooses the routing table, and with it the next hop. One static
// instance; callable from any thread and from signal handlers. Changes no errno.
#pragma once

#include <atomic>
#include <cstdint>

#include "preload/process/settings.h"
#include "preload/process/system_calls.h"
#include "preload/session/broker_session.h"
#include "preload/session/mark_request.h"

namespace px::shim {

class Marker {
 public:
  using RequestMark = Acknowledgement (*)(const Settings&, const SecondSocket&, int fd,
                                          std::uint32_t mark);

  constexpr Marker(const SystemCalls& system, const Settings& settings, BrokerSession& session,
                   RequestMark request)
      : system_(system), settings_(settings), session_(session), request_(request) {}

  // SO_MARK of the socket, whole; 0 where the kernel tells none.
  [[nodiscard]] std::uint32_t mark_of(int fd) const;

  // Has the broker set the socket's mark to `mark` (0: none of px's), as far as the plan's mask
  // reaches, after as much of a hello as this process still owes. If that fails, one line on stderr
  // says why, once a process.
  [[nodiscard]] bool set(int fd, std::uint32_t mark);
  // The same after a hello that the caller has just seen to: a vfork child would say it again.
  [[nodiscard]] bool set_joined(int fd, std::uint32_t mark);

 private:
  void complain(const Acknowledgement& answer);

  const SystemCalls& system_;
  const Settings& settings_;
  BrokerSession& session_;
  const RequestMark request_;
  std::atomic<bool> complained_{false};
  std::atomic<std::int64_t> retry_at_{0};  // ms; the broker did not answer, and is not asked before
};

}  // namespace px::shim
