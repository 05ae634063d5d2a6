// SPDX-License-Identifier: MIT
// Puts px's routes and rules into the kernel of the caller's network namespace and takes them out
// again, by rtnetlink. Owns its socket; blocks for as long as the kernel takes to acknowledge.
// Needs CAP_NET_ADMIN.
#pragma once

#include <memory>

#include "broker/routing/routing_state.h"
#include "util/error.h"

struct nl_msg;
struct nl_sock;

namespace px::broker {

class KernelWriter {
 public:
  [[nodiscard]] static Expected<KernelWriter> open();

  // What the kernel says to this process about changing routes: nothing is changed.
  [[nodiscard]] Expected<void> may_write();

  // Adds; a route of the same destination and metric is replaced. A way that the kernel does not
  // take (its link is down, its next hop no neighbour) is left out: its table's guard, or the
  // marks', stands.
  [[nodiscard]] Expected<void> add(const RoutingChanges& changes);
  // Removes; what is gone already is no error.
  [[nodiscard]] Expected<void> remove(const RoutingChanges& changes);

 private:
  struct FreeSocket {
    void operator()(nl_sock* socket) const;
  };
  explicit KernelWriter(nl_sock* socket) : socket_(socket) {}
  // 0, or the errno that the kernel answered.
  [[nodiscard]] int carry_out(nl_msg* message);

  std::unique_ptr<nl_sock, FreeSocket> socket_;
};

}  // namespace px::broker
