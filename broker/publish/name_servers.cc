// SPDX-License-Identifier: MIT
#include "broker/publish/name_servers.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <string_view>

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
  if (verdict.action == plan::Action::kVia) return {server, verdict.entry, {}};
  // Asked there, it would answer by whatever network this host takes.
  if (verdict.reason == plan::Reason::kOwnAddress) {
    return {server, std::nullopt, "is an address of this host"};
  }
  return {server, std::nullopt, "cannot be reached through " + joined_names(group.via) + " now"};
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
  std::vector<NameServerEgress> egresses;
  const auto plan = build_plan(profile_of_questions(group), policy, snapshot, marks);
  for (const NameServer& server : group.servers) {
    egresses.push_back(plan ? egress_of(server, group, *plan)
                            : NameServerEgress{server, std::nullopt, plan.error().message});
  }
  return egresses;
}

std::string text_of(const NameServer& server) {
  std::array<char, bundle::kAddressTextSize> buffer{};
  std::string address(bundle::address_text(server.address, buffer));
  if (server.port == dns::kPort) return address;
  const bool ipv4 = server.address.is_ipv4();
  return (ipv4 ? address : "[" + address + "]") + ":" + std::to_string(server.port);
}

}  // namespace px::broker
