// SPDX-License-Identifier: MIT
#include "cli/ctl/explain_text.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "cli/ctl/ask.h"
#include "cli/ctl/table.h"

namespace px::cli {
namespace {

using nlohmann::json;

std::string found(const std::map<std::string, std::string>& texts, const std::string& key) {
  const auto text = texts.find(key);
  return text == texts.end() ? key : text->second;
}

std::string entry_text(const json& entry) {
  const std::string next_hop = text_of(entry, "next_hop");
  return text_of(entry, "interface") + " from " + text_of(entry, "source") +
         (next_hop.empty() ? ", without a next hop" : " through the next hop " + next_hop) +
         " (entry " + text_of(entry, "number") + ")";
}

std::string action_text(const json& answer, const Terminal& terminal) {
  const std::string action = text_of(answer, "action");
  if (action == "via")
    return toned("goes out of " + entry_text(answer.at("entry")), Tone::kGood, terminal);
  if (action == "refuse") return toned("is refused with EACCES", Tone::kBad, terminal);
  if (action == "fail") return toned("fails with ENETUNREACH", Tone::kBad, terminal);
  return "goes as the host routes it";
}

std::string rule_text(const json& answer) {
  const json rule = answer.value("rule", json());
  if (!rule.is_object()) return "a rule";
  return "rule " + std::to_string(rule.at("index").get<std::uint64_t>() + 1) + " (to " +
         text_of(rule, "to") + "; " + text_of(rule, "file") + ":" + text_of(rule, "line") + ")";
}

bool is_stranded(const json& answer) {
  const json redirected = answer.value("redirected", json());
  return redirected.is_object() && redirected.at("server").is_null();
}

std::string reason_text(const json& answer) {
  const std::string reason = text_of(answer, "reason");
  if (is_stranded(answer))
    return "the profile redirects it, and none of its name servers is available";
  if (reason == "rule") return rule_text(answer) + " decides";
  if (reason == "unavailable")
    return rule_text(answer) + " decides, and none of its entries is available";
  static const std::map<std::string, std::string> kTexts = {
      {"loopback", "loopback addresses are always left to the system"},
      {"own-address", "it is one of this host's own addresses"},
      {"on-link", "it is directly connected, and the profile says on-link: system"},
      {"no-rule", "no rule of the profile matches"},
      {"profile-removed", "the policy no longer has this profile"},
      {"name-server", "it is a name server of the profile's own"},
      {"broker-lost", "the broker is gone, and the policy's on-loss says so"},
      {"no-plan", "there is no plan for the profile"},
      {"no-profile", "it has no profile"},
  };
  return found(kTexts, reason);
}

std::string candidates_text(const json& candidates, const Terminal& terminal) {
  if (candidates.empty()) return {};
  Table table({{"  PATH"}, {"ENTRY", Align::kRight}, {"INTERFACE"}, {"SOURCE"}, {"USABLE"}});
  for (const json& candidate : candidates) {
    const bool usable = candidate.at("usable").get<bool>();
    const std::string limit = text_of(candidate, "limit");
    const std::string yes = limit.empty() ? "yes" : "yes, but " + limit;
    table.add(
        {"  " + text_of(candidate, "path"), text_of(candidate, "number"),
         text_of(candidate, "interface"), text_of(candidate, "source"),
         usable ? Cell(yes, Tone::kGood) : Cell("no: " + text_of(candidate, "why"), Tone::kBad)});
  }
  return "  The rule's candidates, in order of preference:\n" + table.text(terminal);
}

std::string health_text(const json& answer) {
  const std::string health = text_of(answer, "health");
  if (health == "alive") return "  It answered a moment ago.\n";
  if (health == "dead") return "  It did not answer a moment ago; a bundle tries it last.\n";
  return {};
}

// Who knows a server, unless it is the policy.
std::string from_text(const json& server) {
  const std::string from = text_of(server, "from");
  return from == "policy" ? "" : ", as " + from + " says";
}

std::string server_text(const json& server) {
  if (server.at("server").is_null()) return "nobody (" + text_of(server, "why") + ")";
  return text_of(server, "server") +
         (server.at("usable").get<bool>()
              ? " out of " + text_of(server, "interface") + " from " + text_of(server, "source")
              : " (which " + text_of(server, "why") + ")") +
         from_text(server);
}

std::string asked_text(const json& names, const std::string& servers, bool alone) {
  std::string text = alone ? "Names" : "All other names";
  if (names.is_array()) {
    text = "The names ";
    for (const json& name : names)
      text += (name == names.front() ? "" : ", ") + printable(name.get<std::string>());
  }
  return text + " are asked of " + servers + ", and of nobody else.\n";
}

std::string listed(const json& names) {
  std::string text;
  for (const json& name : names)
    text += (text.empty() ? "" : ", ") + printable(name.get<std::string>());
  return text;
}

std::string redirected_text(const json& answer) {
  const json redirected = answer.value("redirected", json());
  if (!redirected.is_object() || is_stranded(answer)) return {};
  return " is redirected to " + text_of(redirected, "server") + ", and";
}

// Of a name that is an alias, all of them; and other names of the same address.
std::string known_as_text(const json& answer) {
  const json names = answer.value("names", json::array());
  const json others = answer.value("ambiguous", json::array());
  std::string text;
  if (names.size() > 1) text += "  Rules by name look at " + listed(names) + ".\n";
  if (!others.empty())
    text +=
        "  Ambiguous: the address was answered for " + listed(others) +
        " as well, which another rule is for. Of a program, the name that it asked last counts.\n";
  return text;
}

// Whom the profile's names are asked of; nothing where they are looked up as without px.
std::string names_text(const json& answer) {
  const json dns = answer.value("dns", json());
  if (!dns.is_object()) return {};
  std::vector<std::pair<json, std::string>> groups;  // names, and the servers that they have
  for (const json& server : dns.at("servers")) {
    const json& names = server.at("names");
    if (groups.empty() || groups.back().first != names) groups.emplace_back(names, "");
    std::string& servers = groups.back().second;
    servers += (servers.empty() ? "" : ", else of ") + server_text(server);
  }
  // What is of all other names comes last.
  std::stable_partition(groups.begin(), groups.end(),
                        [](const auto& group) { return group.first.is_array(); });
  std::string text;
  for (const auto& [names, servers] : groups) {
    text += asked_text(names, servers, groups.size() == 1);
  }
  const bool some = groups.empty() || groups.back().first.is_array();
  return text + (some ? "All other names are looked up as without px.\n" : "");
}

}  // namespace

std::string profile_text(const json& answer) {
  const std::string profile = text_of(answer, "profile");
  if (profile.empty()) return "It has no profile.\n";
  static const std::map<std::string, std::string> kTexts = {
      {"request", "as --profile says"},
      {"environment", "which this pxctl runs under"},
      {"session", "which it runs under"},
      {"match", "which matches it"},
      {"default-profile", "the policy's default-profile"},
  };
  return "Profile " + profile + ", " + found(kTexts, text_of(answer, "profile_from")) + ".\n" +
         names_text(answer);
}

std::string verdict_text(const json& answer, const Terminal& terminal) {
  const std::string transport = text_of(answer, "transport");
  const std::string port = transport == "icmp" ? "" : " port " + text_of(answer, "port");
  return text_of(answer, "destination") + port + " " + transport + ":" + redirected_text(answer) +
         " " + action_text(answer, terminal) + ".\n  Because " + reason_text(answer) + ".\n" +
         known_as_text(answer) + health_text(answer) +
         candidates_text(answer.value("candidates", json::array()), terminal);
}

}  // namespace px::cli
