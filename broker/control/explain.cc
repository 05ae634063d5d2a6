// SPDX-License-Identifier: MIT
#include "broker/control/explain.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <nlohmann/json.hpp>

#include "broker/control/bundle_reports.h"
#include "broker/control/name_reports.h"
#include "broker/control/reports.h"
#include "broker/publish/name_servers.h"
#include "broker/publish/path_resolution.h"
#include "broker/publish/plan_builder.h"

namespace px::broker {
namespace {

using nlohmann::json;

const char* name_of(plan::Action action) {
  switch (action) {
    case plan::Action::kVia:
      return "via";
    case plan::Action::kRefuse:
      return "refuse";
    case plan::Action::kFail:
      return "fail";
    case plan::Action::kSystem:
      break;
  }
  return "system";
}

json errno_of(plan::Action action) {
  if (action == plan::Action::kRefuse) return "EACCES";
  if (action == plan::Action::kFail) return "ENETUNREACH";
  return nullptr;
}

const char* name_of(plan::Reason reason) {
  switch (reason) {
    case plan::Reason::kLoopback:
      return "loopback";
    case plan::Reason::kOwnAddress:
      return "own-address";
    case plan::Reason::kOnLink:
      return "on-link";
    case plan::Reason::kNoRule:
      return "no-rule";
    case plan::Reason::kRule:
      return "rule";
    case plan::Reason::kUnavailable:
      return "unavailable";
    case plan::Reason::kProfileRemoved:
      return "profile-removed";
    case plan::Reason::kNameServer:
      return "name-server";
    case plan::Reason::kBrokerLost:
      return "broker-lost";
    case plan::Reason::kNoPlan:
      break;
  }
  return "no-plan";
}

std::string name_of(plan::Transport transport) {
  const auto* known = std::ranges::find(kTransportNames, transport, &TransportName::transport);
  return std::string(known == std::end(kTransportNames) ? "other" : known->name);
}

std::string why_not(plan::Usability usability, const Entry& entry, MarkUse unmarked) {
  switch (usability) {
    case plan::Usability::kUsable:
      return {};
    case plan::Usability::kOtherFamily:
      return entry.source.is_ipv4() ? "an IPv4 source, an IPv6 destination"
                                    : "an IPv6 source, an IPv4 destination";
    case plan::Usability::kDown:
      return entry.usable() ? kUnmarked : why_not_usable(entry);
    case plan::Usability::kNoRoute:
      if (unmarked == MarkUse::kFurther) {
        return "routes name this router for other destinations alone (needs CAP_NET_ADMIN)";
      }
      return "no route to the destination on this interface";
    case plan::Usability::kOtherScope:
      return "the destination names another interface";
    case plan::Usability::kSourceFixed:
      break;
  }
  return "the socket's source is fixed already";
}

// What a usable entry cannot do here; empty where there is nothing.
std::string limit_of(const PathSelector& path, const Entry& entry, const plan::Entry& compiled,
                     plan::Call call, const Ranges& reach) {
  if (mark_use(path, entry) == MarkUse::kNoDevice && compiled.mark == 0) {
    return "answers must come in by this interface (elsewhere needs CAP_NET_ADMIN)";
  }
  call.source_fixed = true;
  if (plan::usability(reach, compiled, call) == plan::Usability::kUsable) return {};
  const std::string ports = "not for sockets bound to a port alone: ";
  if ((compiled.flags & plan::kEntryKernelSource) == 0) {
    return ports + "the kernel gives them another source";
  }
  // Of several routers, a mark would choose one.
  const bool chosen = mark_use(path, entry) != MarkUse::kNone;
  return ports + "the interface's IPv6 routes are for its source (needs " +
         (chosen ? "CAP_NET_ADMIN)" : "a gateway in the path)");
}

json candidate_report(const PathSelector& path, const Entry& entry, const Snapshot& snapshot,
                      const Marks& marks, const plan::Call& call) {
  const plan::Entry compiled = plan_entry(entry, path, marks);
  const Ranges reach = reach_of(entry, path, snapshot, marks);
  const auto usability = plan::usability(reach, compiled, call);
  const MarkUse unmarked = compiled.mark == 0 ? mark_use(path, entry) : MarkUse::kNone;
  const std::string why = why_not(usability, entry, unmarked);
  const std::string limit = why.empty() ? limit_of(path, entry, compiled, call, reach) : "";
  return {{"path", path.name},
          {"number", entry.number},
          {"interface", entry.interface},
          {"source", text_of(entry.source)},
          {"usable", why.empty()},
          {"why", why.empty() ? json() : json(why)},
          {"limit", limit.empty() ? json() : json(limit)}};
}

json candidates_of(const Rule& rule, const Policy& policy, const Snapshot& snapshot,
                   const Marks& marks, const plan::Call& call) {
  json candidates = json::array();
  for (const std::string& name : rule.via) {
    const PathSelector* path = policy.path(name);
    if (path == nullptr) continue;
    const auto indices = resolve_path(*path, snapshot);
    for (const std::size_t index : indices) {
      candidates.push_back(candidate_report(*path, snapshot.entries[index], snapshot, marks, call));
    }
    if (indices.empty()) {
      candidates.push_back({{"path", name},
                            {"number", nullptr},
                            {"interface", path->interface},
                            {"source", path->source ? json(text_of(*path->source)) : json()},
                            {"usable", false},
                            {"why", "the host has no such entry now"},
                            {"limit", nullptr}});
    }
  }
  return candidates;
}

json chosen_entry(const plan::Verdict& verdict, const Snapshot& snapshot) {
  if (verdict.action != plan::Action::kVia) return nullptr;
  json entry = {{"number", verdict.entry.number},
                {"interface", verdict.entry.interface},
                {"source", text_of(verdict.entry.source)},
                {"next_hop", nullptr}};
  for (const Entry& known : snapshot.entries) {
    if (known.number == verdict.entry.number && known.next_hop) {
      entry["next_hop"] = text_of(*known.next_hop);
    }
  }
  return entry;
}

// Makes the call go where it is redirected to. What it says of that; null where it is not.
json redirect(const plan::Plan& plan, std::uint64_t now_ms, plan::Call* call) {
  const auto redirection = plan.redirect(*call, false, now_ms);
  if (!redirection.applies) return nullptr;
  if (!redirection.server) return {{"server", nullptr}};
  call->destination = redirection.server->address;
  call->port = redirection.server->port;
  call->scope = redirection.server->scope;
  return {{"server", text_of(NameServer{call->destination, call->port})}};
}

json texts_of(const dns::NameChain& names) {
  json texts = json::array();
  for (auto rest = names.wire(); const auto name = dns::next_name(&rest);) {
    std::array<char, dns::kNameTextSize> buffer;
    texts.push_back(name->text(buffer));
  }
  return texts;
}

// The other names of the destination, each with its chain, by which another rule would decide.
json ambiguities(const plan::Plan& plan, const Question& question, const plan::Verdict& verdict,
                 const std::vector<dns::NameChain>& others) {
  json found = json::array();
  if (question.names.is_empty()) return found;
  for (const dns::NameChain& names : others) {
    plan::Call call = question.call;
    call.names = &names;
    if (plan.decide(call, question.now_ms).rule == verdict.rule) continue;
    found.push_back(texts_of(names).front());
  }
  return found;
}

}  // namespace

json explain(const Question& question, const Policy& policy, const Snapshot& snapshot,
             const Marks& marks, const Publisher& publisher,
             const std::vector<dns::NameChain>& others) {
  plan::Call call = question.call;
  call.names = &question.names;
  json report = {{"profile", question.profile ? json(*question.profile) : json()},
                 {"profile_from", question.profile_from},
                 {"destination", text_of(call.destination)},
                 {"port", call.port},
                 {"transport", name_of(call.transport)},
                 {"names", texts_of(question.names)},
                 {"ambiguous", json::array()},
                 {"answered_names", json::array()},
                 {"rule", nullptr},
                 {"entry", nullptr},
                 {"errno", nullptr},
                 {"health", "unknown"},
                 {"dns", nullptr},
                 {"redirected", nullptr},
                 {"candidates", json::array()}};
  if (!question.profile) {
    report["action"] = "system";
    report["reason"] = "no-profile";
    return report;
  }
  for (const dns::NameChain& names : others) report["answered_names"].push_back(texts_of(names));
  const auto published = publisher.all().find(*question.profile);
  if (published == publisher.all().end()) {
    return {{"error", "no profile named '" + *question.profile + "'"}};
  }
  const plan::Plan plan = published->second.file->plan();
  report["redirected"] = redirect(plan, question.now_ms, &call);
  const bool stranded =
      report["redirected"].is_object() && report["redirected"]["server"].is_null();
  const auto verdict = stranded ? plan::Verdict{plan::Action::kFail, plan::Reason::kNameServer}
                                : plan.decide(call, question.now_ms);
  report["ambiguous"] = ambiguities(plan, question, verdict, others);
  report["action"] = name_of(verdict.action);
  report["reason"] = name_of(verdict.reason);
  report["errno"] = errno_of(verdict.action);
  report["entry"] = chosen_entry(verdict, snapshot);
  // As the program asks for it when it connects to a bundle.
  const bundle::Endpoint endpoint{call.destination, call.port, call.scope};
  const auto key = plan::health_key(question.user, endpoint, verdict.entry.interface_index);
  report["health"] = name_of(plan.health(key, question.boottime_ms));
  const Profile* profile = policy.profile(*question.profile);
  if (profile != nullptr) {
    report["dns"] = name_servers_report(profile->names, policy, snapshot, marks);
  }
  if (profile != nullptr && verdict.rule < profile->rules.size()) {
    const Rule& rule = profile->rules[verdict.rule];
    report["rule"] = {{"index", verdict.rule},
                      {"to", rule.to_text},
                      {"file", rule.position.file},
                      {"line", rule.position.line}};
    report["candidates"] = candidates_of(rule, policy, snapshot, marks, call);
  }
  return report;
}

}  // namespace px::broker
