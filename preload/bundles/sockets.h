// SPDX-License-Identifier: MIT
// socket(2): which socket AF_BUNDLE stands for, and which transport the program's streams get under
// `bundle: { sockets: all }`. Holds nothing but references. Callable from any thread and from
// signal handlers; errno changes only with a failure.
#pragma once

#include "preload/process/symbols.h"
#include "preload/process/system_calls.h"
#include "preload/session/broker_session.h"
#include "preload/session/current_plan.h"
#include "preload/sockets/fd_table.h"
#include "preload/sockets/kernel_transports.h"

namespace px::shim {

class BundleSockets {
 public:
  constexpr BundleSockets(const Symbols& libc, const SystemCalls& system, FdTable& fds,
                          const CurrentPlan& plan, BrokerSession& session,
                          KernelTransports& transports)
      : libc_(libc),
        system_(system),
        fds_(fds),
        plan_(plan),
        session_(session),
        transports_(transports) {}

  // As the program's call; the descriptor is remembered. A socket of AF_BUNDLE is an IPv6 stream
  // socket that takes both families, of the transport that `protocol` names, or for 0 of the first
  // one of the profile's that the kernel has. EPROTONOSUPPORT: another type or protocol, or the
  // kernel has none of them; EAFNOSUPPORT: bundles are off, or the kernel has no IPv6.
  [[nodiscard]] int socket(int domain, int type, int protocol);

 private:
  [[nodiscard]] int make_bundle(int type, int protocol);
  // Times of SCTP under which the loss of a path is short.
  void tune(int fd) const;
  // The first of them that the kernel has. `made`: its protocol number.
  [[nodiscard]] int make_first(const plan::BundleSettings& settings, int domain, int type,
                               int* made);

  const Symbols& libc_;
  const SystemCalls& system_;
  FdTable& fds_;
  const CurrentPlan& plan_;
  BrokerSession& session_;
  KernelTransports& transports_;
};

}  // namespace px::shim
