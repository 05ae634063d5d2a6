// SPDX-License-Identifier: MIT
#include "broker/routing/port_routes.h"

#include <utility>

namespace px::broker {

void PortRoutes::take_over(const std::vector<PortRoute>& ways) {
  for (const PortRoute& way : ways) ports_[way.port].ways[way.destination] = way;
}

bool PortRoutes::belongs_to(std::uint16_t port, uid_t user) const {
  const auto found = ports_.find(port);
  return found != ports_.end() && found->second.user == user;
}

Expected<void> PortRoutes::add(uid_t user, const std::vector<PortRoute>& ways) {
  std::map<std::uint16_t, Port> ports = ports_;
  for (const PortRoute& way : ways) {
    ports[way.port].user = user;
    ports[way.port].ways[way.destination] = way;
  }
  std::size_t of_user = 0;
  std::size_t in_all = 0;
  for (const auto& [number, port] : ports) {
    in_all += port.ways.size();
    if (port.user == user) of_user += port.ways.size();
  }
  if (of_user > limits_.per_user || in_all > limits_.in_all) {
    return fail("too many paths of SCTP go by ways of their own: " +
                (of_user > limits_.per_user
                     ? "the user may have " + std::to_string(limits_.per_user)
                     : "all users together may have " + std::to_string(limits_.in_all)));
  }
  ports_ = std::move(ports);
  return {};
}

bool PortRoutes::forget_unused(const InUse& in_use) {
  return std::erase_if(ports_, [&](const auto& entry) {
           std::vector<Egress> ways;
           for (const auto& [destination, port_way] : entry.second.ways) {
             if (port_way.way) ways.push_back(*port_way.way);
           }
           return !in_use(entry.first, ways);
         }) != 0;
}

std::vector<PortRoute> PortRoutes::all() const {
  std::vector<PortRoute> all;
  for (const auto& [number, port] : ports_) {
    for (const auto& [destination, way] : port.ways) all.push_back(way);
  }
  return all;
}

}  // namespace px::broker
