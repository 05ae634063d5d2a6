// SPDX-License-Identifier: MIT
// Puts px's routes and rules into the kernel of the caller's network namespace and takes them out
// again, by rtnetlink. Owns its socket; blocks for as long as the kernel takes to acknowledge.
// Needs CAP_NET_ADMIN.
#pragma once

#include "broker/routing/routing_state.h"
#include "netlink/request_socket.h"
#include "util/error.h"

namespace px::broker {

class KernelWriter {
 public:
  [[nodiscard]] static Expected<KernelWriter> open();

  // What the kernel says to this process about changing routes: nothing is changed.
  [[nodiscard]] Expected<void> may_write();

  // Adds; a route of the same destination and metric is replaced. A route that the kernel does not
  // take (its link is down, its next hop no neighbour) is left out: its table's guard, or the
  // marks', stands.
  [[nodiscard]] Expected<void> add(const RoutingChanges& changes);
  // Removes; what is gone already is no error.
  [[nodiscard]] Expected<void> remove(const RoutingChanges& changes);

 private:
  explicit KernelWriter(netlink::RequestSocket socket) : socket_(std::move(socket)) {}

  netlink::RequestSocket socket_;
};

}  // namespace px::broker
