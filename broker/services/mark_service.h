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
  void mark(const Peer& peer, const plan::Mark& mark, const PassedDescriptor& socket,
            const Reply& reply);

  Parts parts_;
};

}  // namespace px::broker
