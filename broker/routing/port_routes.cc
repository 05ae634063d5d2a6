// SPDX-License-Identifier: MIT
#include "broker/routing/port_routes.h"

#include <utility>

namespace px::broker {

void PortRoutes::take_over(const std::vector<PortRoute>& routes) {
  for (const PortRoute& route : routes) ports_[route.port].routes[route.destination] = route;
}

bool PortRoutes::belongs_to(std::uint16_t port, uid_t user) const {
  const auto found = ports_.find(port);
  return found != ports_.end() && found->second.user == user;
}

Expected<void> PortRoutes::add(uid_t user, const std::vector<PortRoute>& routes) {
  std::map<std::uint16_t, Port> ports = ports_;
  for (const PortRoute& route : routes) {
    ports[route.port].user = user;
    ports[route.port].routes[route.destination] = route;
  }
  std::size_t of_user = 0;
  std::size_t in_all = 0;
  for (const auto& [number, port] : ports) {
    in_all += port.routes.size();
    if (port.user == user) of_user += port.routes.size();
  }
  if (of_user > limits_.per_user || in_all > limits_.in_all) {
    return fail("too many paths of SCTP have routes of their own: " +
                (of_user > limits_.per_user
                     ? "the user may have " + std::to_string(limits_.per_user)
                     : "all users together may have " + std::to_string(limits_.in_all)));
  }
  ports_ = std::move(ports);
  return {};
}

bool PortRoutes::forget_unused(const InUse& in_use) {
  return std::erase_if(ports_, [&](const auto& entry) {
           std::vector<Egress> egresses;
           for (const auto& [destination, route] : entry.second.routes) {
             if (route.egress) egresses.push_back(*route.egress);
           }
           return !in_use(entry.first, egresses);
         }) != 0;
}

std::vector<PortRoute> PortRoutes::all() const {
  std::vector<PortRoute> all;
  for (const auto& [number, port] : ports_) {
    for (const auto& [destination, route] : port.routes) all.push_back(route);
  }
  return all;
}

}  // namespace px::broker
