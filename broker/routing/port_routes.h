// SPDX-License-Identifier: MIT
// The SCTP ports with routes of their own, and the users they belong to. A port's are kept while it
// is in use, whichever process has the socket now. Owned by the daemon; single-threaded; pure.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "broker/routing/egress.h"
#include "util/error.h"

namespace px::broker {

class PortRoutes {
 public:
  // Of port routes: every lookup of a route on the host has to pass their rules.
  struct Limits {
    std::size_t per_user;
    std::size_t in_all;
    friend bool operator==(const Limits&, const Limits&) = default;
  };
  // Whether the socket that had been given these egresses for its port is still there.
  using InUse = std::function<bool(std::uint16_t port, const std::vector<Egress>& egresses)>;

  explicit PortRoutes(Limits limits = {256, 1024}) : limits_(limits) {}

  // What an earlier broker has left; the user is not known.
  void take_over(const std::vector<PortRoute>& routes);

  [[nodiscard]] bool belongs_to(std::uint16_t port, uid_t user) const;
  // Adds these, in place of those to the same destinations. The ports are the user's from now on.
  // An error, and nothing changed, where there are too many.
  [[nodiscard]] Expected<void> add(uid_t user, const std::vector<PortRoute>& routes);
  void forget(std::uint16_t port) { ports_.erase(port); }
  // Forgets the ports that are not in use. Whether there were any.
  bool forget_unused(const InUse& in_use);

  [[nodiscard]] bool empty() const { return ports_.empty(); }
  [[nodiscard]] std::vector<PortRoute> all() const;
  friend bool operator==(const PortRoutes&, const PortRoutes&) = default;

 private:
  struct Port {
    std::optional<uid_t> user;
    std::map<std::optional<bundle::Address>, PortRoute> routes;  // by destination
    friend bool operator==(const Port&, const Port&) = default;
  };

  Limits limits_;
  std::map<std::uint16_t, Port> ports_;
};

}  // namespace px::broker
