// SPDX-License-Identifier: MIT
// connect(2) to a bundle: to a sockaddr_bundle, or to one address of a bundle that the program was
// given (PB-4, PB-5). The program's socket connects to whichever member answers. Holds nothing but
// references. Callable from any thread and from signal handlers; errno changes only with a failure.
#pragma once

#include <optional>

#include "libbundle/core/bundle.h"
#include "preload/names/bundle_cache.h"
#include "preload/process/system_calls.h"
#include "preload/session/plan_holder.h"
#include "preload/sockets/call_address.h"
#include "preload/sockets/fd_table.h"
#include "preload/streams/connector.h"

namespace px::shim {

class BundleConnecting {
 public:
  constexpr BundleConnecting(const SystemCalls& system, FdTable& fds, PlanHolder& holder,
                             Connector& connector, const BundleCache& cache)
      : system_(system), fds_(fds), holder_(holder), connector_(connector), cache_(cache) {}

  // Whether connect() below is to be asked at all: all that connects without bundles pay.
  [[nodiscard]] bool may_concern(const CallAddress& destination) const {
    return !cache_.empty() || destination.is_bundle();
  }

  // The call's result; nothing where it is no connect to a bundle, and to be made as any other.
  // EINVAL for a sockaddr_bundle that is none.
  [[nodiscard]] std::optional<int> connect(int fd, const CallAddress& destination);

 private:
  // False for what names no bundle.
  [[nodiscard]] bool find(const CallAddress& destination, bundle::Bundle* found) const;
  [[nodiscard]] bool read_bundle(const CallAddress& destination, bundle::Bundle* found) const;
  void ask_for_subflows(int fd, const bundle::Bundle& bundle,
                        const bundle::Endpoint& destination) const;

  const SystemCalls& system_;
  FdTable& fds_;
  PlanHolder& holder_;
  Connector& connector_;
  const BundleCache& cache_;
};

}  // namespace px::shim
