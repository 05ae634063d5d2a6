// SPDX-License-Identifier: MIT
// connect(2) to a bundle: to a sockaddr_bundle, or to one address of a bundle that the program was
// given (PB-4, PB-5). The program's socket connects to whichever member answers. Holds nothing of
// its own. Callable from any thread and from signal handlers; errno changes only with a failure.
#pragma once

#include <sys/socket.h>

#include <cstring>
#include <optional>

#include "libbundle/core/bundle.h"
#include "preload/names/bundle_cache.h"
#include "preload/process/system_calls.h"
#include "preload/session/plan_holder.h"
#include "preload/sockets/fd_table.h"
#include "preload/streams/connector.h"

namespace px::shim {

class BundleConnecting {
 public:
  constexpr BundleConnecting(const SystemCalls& system, FdTable& fds, PlanHolder& holder,
                             Connector& connector, const BundleCache& known)
      : system_(system), fds_(fds), holder_(holder), connector_(connector), known_(known) {}

  // Whether connect() below is to be asked at all: all that connects without bundles pay.
  [[nodiscard]] bool may_concern(const sockaddr* address, socklen_t length) const {
    return !known_.empty() || is_bundle(address, length);
  }

  // The call's result; nothing where it is no connect to a bundle, and to be made as any other.
  // EINVAL for a sockaddr_bundle that is none.
  [[nodiscard]] std::optional<int> connect(int fd, const sockaddr* address, socklen_t length);

 private:
  [[nodiscard]] static bool is_bundle(const sockaddr* address, socklen_t length) {
    sa_family_t family = AF_UNSPEC;
    if (address == nullptr || length < sizeof family) return false;
    std::memcpy(&family, &address->sa_family, sizeof family);
    return family == AF_BUNDLE;
  }
  // False for what names no bundle.
  [[nodiscard]] bool find(const sockaddr* address, socklen_t length, bundle::Bundle* found) const;
  [[nodiscard]] bool read_bundle(const sockaddr* address, socklen_t length,
                                 bundle::Bundle* found) const;
  void ask_for_subflows(int fd, const bundle::Bundle& bundle,
                        const bundle::Endpoint& destination) const;

  const SystemCalls& system_;
  FdTable& fds_;
  PlanHolder& holder_;
  Connector& connector_;
  const BundleCache& known_;
};

}  // namespace px::shim
