// SPDX-License-Identifier: MIT
// Answers pxctl's requests, each a JSON text (docs/protocol.md). The commands are one table in
// control_service.cc: a new one is a function and a row there.
//
// Of this folder: a service answers the messages of one subject, which it registers with the
// dispatcher. All parts are owned by the daemon and single-threaded.
#pragma once

#include <string>
#include <string_view>

#include "broker/identity/network_namespace.h"
#include "broker/sessions/dispatcher.h"

namespace px::broker {

class Errands;
class Lookups;
class MptcpSubflows;
class PolicyControl;
class ProfileAssignments;
class Publisher;
class RouterList;
class Routing;
class Server;
class SessionEvents;
class SessionTable;
struct BrokerState;
struct InForce;

class ControlService {
 public:
  struct Parts {
    const BrokerState& state;
    const InForce& in_force;
    const Publisher& publisher;
    const MptcpSubflows& subflows;
    const SessionTable& sessions;
    const Server& server;
    Routing& routing;
    RouterList& routers;
    ProfileAssignments& assignments;
    SessionEvents& events;
    PolicyControl& policy_control;
    Errands& errands;
    Lookups& lookups;
    NetworkNamespace network_namespace;
  };

  explicit ControlService(const Parts& parts) : parts_(parts) {}
  void register_with(Dispatcher& dispatcher);
  // What pxctl metrics prints.
  [[nodiscard]] std::string metrics_text() const;

 private:
  [[nodiscard]] Answer answer(const Peer& peer, std::string_view text);

  Parts parts_;
};

}  // namespace px::broker
