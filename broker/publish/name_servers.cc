// SPDX-License-Identifier: MIT
#include "broker/publish/name_servers.h"

#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>

#include "broker/publish/path_resolution.h"
#include "broker/publish/plan_builder.h"
#include "dns/packet.h"
#include "plan/plan.h"

namespace px::broker {
namespace {

Profile profile_of_questions(const NameGroup& group) {
  Profile questions;
  questions.on_link_system = false;
  Rule rule;
  rule.to.push_back({});
  rule.via = group.via;
  questions.rules.push_back(std::move(rule));
  return questions;
}

std::string joined_names(const std::vector<std::string>& via) {
  std::string text;
  for (const std::string& name : via) text += (text.empty() ? "" : ", ") + name;
  return text;
}

NameServerEgress egress_of(const NameServer& server, const NameGroup& group,
                           const std::vector<std::byte>& plan) {
  plan::Call call{.destination = server.address, .port = server.port};
  call.transport = plan::Transport::kUdp;
  const plan::Verdict verdict = plan::decide(plan, call);
  if (verdict.action == plan::Action::kVia) {
    call.source_fixed = true;
    const plan::Verdict bound = plan::decide(plan, call);
    const bool same = bound.action == plan::Action::kVia &&
                      bound.entry.interface_index == verdict.entry.interface_index &&
                      bound.entry.source == verdict.entry.source;
    return {server, verdict.entry, {}, {}, same ? bound.entry : verdict.entry};
  }
  // Asked there, it would answer by whatever network this host takes.
  if (verdict.reason == plan::Reason::kOwnAddress) {
    return {server, std::nullopt, "is an address of this host", {}};
  }
  const std::string why = "cannot be reached through " + joined_names(group.via) + " now";
  return {server, std::nullopt, why, {}};
}

std::vector<NameServerEgress> egresses_of(const NameGroup& group, const std::string& from,
                                          const Policy& policy, const Snapshot& snapshot,
                                          const Marks& marks) {
  std::vector<NameServerEgress> egresses;
  const auto plan = build_plan(profile_of_questions(group), policy, snapshot, marks);
  for (const NameServer& server : group.servers) {
    egresses.push_back(plan ? egress_of(server, group, *plan)
                            : NameServerEgress{server, std::nullopt, plan.error().message, {}});
    egresses.back().from = from;
  }
  return egresses;
}

// A link that a path leads to, and what is known of its name servers.
struct PathLink {
  const PathSelector* path;
  std::string interface;
  const LinkNames* names;
};

std::vector<PathLink> links_of(const NameGroup& group, const Policy& policy,
                               const Snapshot& snapshot) {
  std::vector<PathLink> links;
  for (const std::string& name : group.via) {
    const PathSelector* path = policy.path(name);
    if (path == nullptr) continue;
    for (const std::size_t index : resolve_path(*path, snapshot)) {
      const std::string& interface = snapshot.entries[index].interface;
      const auto names = snapshot.link_names.find(interface);
      if (names == snapshot.link_names.end()) continue;
      const auto is_it = [&](const PathLink& link) { return link.interface == interface; };
      if (std::ranges::any_of(links, is_it)) continue;
      links.push_back({path, interface, &names->second});
    }
  }
  return links;
}

std::string as_pattern(const std::string& interface) {
  std::string pattern;
  for (const char c : interface)
    pattern += std::string("*?[\\").find(c) == std::string::npos ? std::string(1, c)
                                                                 : std::string("\\") + c;
  return pattern;
}

NameGroup asking(const NameGroup& group, const LinkNames& names) {
  NameGroup own = group;
  for (const LinkNames::Server& server : names.servers) {
    own.servers.push_back({server.address, server.port});
  }
  return own;
}

std::vector<NameServerEgress> servers_of_link(const NameGroup& group, const PathLink& link,
                                              const Policy& policy, const Snapshot& snapshot,
                                              const Marks& marks) {
  NameGroup own = asking(group, *link.names);
  own.via = {link.path->name};
  // By this link alone, whichever others the path has.
  Policy of_link;
  of_link.mark_mask = policy.mark_mask;
  of_link.paths.push_back(*link.path);
  of_link.paths.back().interface = as_pattern(link.interface);
  return egresses_of(own, link.names->source, of_link, snapshot, marks);
}

// What /etc/resolv.conf has belongs to no link: an address of another link's own network would be
// another host where this path leads, and a link-local one is any.
bool is_led_to(const NameServerEgress& server, const Snapshot& snapshot) {
  const Address& address = server.server.address;
  const bool link_local = address.bytes[0] == 0xfe && (address.bytes[1] & 0xc0) == 0x80;
  return server.entry && !link_local &&
         std::ranges::none_of(snapshot.networks, [&](const LinkNetwork& network) {
           return network.interface != server.entry->interface &&
                  bundle::common_prefix_length(network.base, address) >= network.prefix_length;
         });
}

std::vector<NameServerEgress> learned_servers_of(const NameGroup& group, const Policy& policy,
                                                 const Snapshot& snapshot, const Marks& marks) {
  std::vector<NameServerEgress> found;
  for (const PathLink& link : links_of(group, policy, snapshot)) {
    std::ranges::copy(servers_of_link(group, link, policy, snapshot, marks),
                      std::back_inserter(found));
  }
  const auto host = snapshot.link_names.find("");
  if (found.empty() && host != snapshot.link_names.end()) {
    found = egresses_of(asking(group, host->second), host->second.source, policy, snapshot, marks);
    std::erase_if(found, [&](const auto& server) { return !is_led_to(server, snapshot); });
  }
  if (found.size() > kMostLearnedServers) found.resize(kMostLearnedServers);
  return found;
}

}  // namespace

bool operator==(const NameServerEgress& a, const NameServerEgress& b) {
  if (!(a.server == b.server) || a.entry.has_value() != b.entry.has_value()) return false;
  if (!a.entry) return true;
  return a.entry->interface_index == b.entry->interface_index &&
         a.entry->source == b.entry->source && a.entry->mark == b.entry->mark &&
         std::equal(std::begin(a.entry->interface), std::end(a.entry->interface),
                    std::begin(b.entry->interface));
}

std::vector<NameServerEgress> name_servers_of(const NameGroup& group, const Policy& policy,
                                              const Snapshot& snapshot, const Marks& marks) {
  if (group.learns()) return learned_servers_of(group, policy, snapshot, marks);
  return egresses_of(group, "policy", policy, snapshot, marks);
}

std::vector<std::string> learned_domains(const NameGroup& group, const Policy& policy,
                                         const Snapshot& snapshot) {
  std::vector<std::string> domains;
  if (!group.learns()) return domains;
  for (const PathLink& link : links_of(group, policy, snapshot)) {
    for (const std::string& domain : link.names->domains) {
      if (std::ranges::find(domains, domain) == domains.end()) domains.push_back(domain);
    }
  }
  return domains;
}

Ranges redirected_by_host(const Snapshot& snapshot) {
  Ranges ranges = snapshot.own;
  ranges.push_back(network_range(bundle::ipv4_address(INADDR_LOOPBACK), 96 + 8));
  ranges.push_back(network_range(bundle::ipv4_address(INADDR_ANY), 128));
  for (const char* text : {"::", "::1"}) {
    ranges.push_back(network_range(*bundle::address_from_text(text), 128));
  }
  const auto host = snapshot.link_names.find("");
  if (host != snapshot.link_names.end()) {
    for (const LinkNames::Server& server : host->second.servers) {
      ranges.push_back(network_range(server.address, 128));
    }
  }
  return merge(std::move(ranges));
}

std::string text_of(const NameServer& server) {
  const bool tls = !server.tls_name.empty();
  const std::string scheme = tls ? "tls://" + server.tls_name + "@" : "";
  std::array<char, bundle::kAddressTextSize> buffer{};
  std::string address(bundle::address_text(server.address, buffer));
  if (server.port == (tls ? dns::kTlsPort : dns::kPort)) return scheme + address;
  const bool ipv4 = server.address.is_ipv4();
  return scheme + (ipv4 ? address : "[" + address + "]") + ":" + std::to_string(server.port);
}

}  // namespace px::broker
