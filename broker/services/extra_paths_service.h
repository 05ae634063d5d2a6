// SPDX-License-Identifier: MIT
// Gives a program's socket the extra paths that it asks for (PB-4): subflows where it is of MPTCP,
// routes of its port where it is of SCTP.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "broker/identity/network_namespace.h"
#include "broker/services/sctp_paths.h"
#include "broker/sessions/dispatcher.h"
#include "plan/bundle_wire.h"
#include "plan/plan.h"
#include "util/error.h"

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
    Routing& routing;
    MptcpSubflows& subflows;
    SctpPortRoutes& port_routes;
    NetworkNamespace network_namespace;
  };

  explicit ExtraPathsService(const Parts& parts) : parts_(parts) {}
  void register_with(Dispatcher& dispatcher);

 private:
  // A request, until it is answered.
  struct Request {
    const Peer& peer;
    plan::ExtraPaths paths;
    PassedDescriptor socket;
    Reply reply;
  };
  // What a request is given under: as it is at this moment, since between two of a request's tasks
  // both may change.
  struct Program {
    const Session& session;
    plan::Plan plan;
  };
  // Has a task done with the socket, and goes on unless that failed.
  void ask(const Request& request, Task task, std::function<void(const Result&)> done) const;
  void give(const Request& request);
  [[nodiscard]] Expected<void> give_subflows(const Request& request, const Result& socket);
  void give_routes(const Request& request, const SocketFacts& socket);
  void route(const Request& request, const std::vector<SctpPath>& paths, const Result& bound);
  void finish(const Request& request, const Expected<void>& given) const;
  [[nodiscard]] std::optional<Program> program_of(const Request& request) const;
  [[nodiscard]] Expected<std::vector<SctpPath>> sctp_paths_of(const Request& request,
                                                              const SocketFacts& socket) const;

  Parts parts_;
};

}  // namespace px::broker
