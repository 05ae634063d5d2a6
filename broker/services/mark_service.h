// SPDX-License-Identifier: MIT
// Gives a program's socket a mark that the program's plan names: only the broker may (PX-2).
#pragma once

#include "broker/identity/network_namespace.h"
#include "broker/sessions/dispatcher.h"
#include "plan/wire.h"

namespace px::broker {

class Publisher;
class Routing;
class SessionTable;

class MarkService {
 public:
  struct Parts {
    const Publisher& publisher;
    SessionTable& sessions;
    const Routing& routing;
    NetworkNamespace network_namespace;
  };

  explicit MarkService(const Parts& parts) : parts_(parts) {}
  void register_with(Dispatcher& dispatcher);

 private:
  [[nodiscard]] Answer mark(const Peer& peer, const plan::Mark& mark, const Fd& socket);

  Parts parts_;
};

}  // namespace px::broker
