// SPDX-License-Identifier: MIT
// Gives a program's socket the extra paths that it asks for (PB-4): subflows where it is of MPTCP,
// routes of its port where it is of SCTP.
#pragma once

#include "broker/identity/network_namespace.h"
#include "broker/sessions/dispatcher.h"
#include "plan/bundle_wire.h"
#include "util/error.h"

namespace px::plan {
class Plan;
}

namespace px::broker {

class MptcpSubflows;
class Publisher;
class Routing;
class SctpPortRoutes;
class SessionTable;
struct Session;

class ExtraPathsService {
 public:
  struct Parts {
    const Publisher& publisher;
    SessionTable& sessions;
    const Routing& routing;
    MptcpSubflows& subflows;
    SctpPortRoutes& port_routes;
    NetworkNamespace network_namespace;
  };

  explicit ExtraPathsService(const Parts& parts) : parts_(parts) {}
  void register_with(Dispatcher& dispatcher);

 private:
  [[nodiscard]] Answer give(const Peer& peer, const plan::ExtraPaths& paths, const Fd& socket);
  // The error is for people.
  [[nodiscard]] Expected<void> give(const Session& session, const plan::Plan& plan,
                                    const plan::ExtraPaths& paths, const Fd& socket);

  Parts parts_;
};

}  // namespace px::broker
