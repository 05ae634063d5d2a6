// SPDX-License-Identifier: MIT
// Routes of SCTP's paths (PB-4, PX-4): a program's socket is bound to the sources of all its paths,
// and routing rules of its port send what leaves for each member by that member's egress. A port's
// routes last as long as the port is in use.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "broker/descriptors/task.h"
#include "broker/publish/in_force.h"
#include "broker/routing/member_egress.h"
#include "broker/routing/port_routes.h"
#include "broker/routing/routing_demand.h"
#include "broker/routing/sctp_socket.h"
#include "broker/services/sctp_paths.h"
#include "util/error.h"
#include "util/timer.h"

namespace px::broker {

class Routing;

struct SctpPortOptions {
  std::function<SctpPorts()> read_ports = &SctpPorts::read;
  std::chrono::milliseconds interval = std::chrono::seconds(2);  // of looking for unused ports
  // Called where rules of unused ports could not be removed.
  std::function<void(const Error&)> failed = [](const Error&) {};
};

class SctpPortRoutes {
 public:
  SctpPortRoutes(asio::io_context& context, const InForce& in_force, Routing& routing,
                 SctpPortOptions options = {});

  // Goes on with what an earlier broker has left in the kernel.
  void take_over(const std::vector<PortRoute>& left);

  // The paths that a socket is to have to these members. The error is for people.
  [[nodiscard]] Expected<std::vector<SctpPath>> paths_to(
      const std::vector<MemberEgress>& members) const;
  // Has the port routed that the user's socket was bound to for the first of these paths; or that
  // it had before, where it is the user's. `why_not`: why it was not bound.
  [[nodiscard]] Expected<void> give(uid_t user, const std::vector<SctpPath>& paths,
                                    const Binding& binding, const std::string& why_not);

  // What a policy needs of this host's kernel, and the ports besides.
  [[nodiscard]] RoutingDemand demand(const Policy& policy, const Snapshot& snapshot) const;

 private:
  [[nodiscard]] Expected<void> renew();
  bool forget_unused();
  void watch();

  const InForce& in_force_;
  Routing& routing_;
  SctpPortOptions options_;
  PortRoutes routes_;
  Timer timer_;
  bool watching_ = false;
};

}  // namespace px::broker
