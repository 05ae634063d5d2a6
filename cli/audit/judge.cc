// SPDX-License-Identifier: MIT
#include "cli/audit/judge.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/audit/flow_text.h"
#include "cli/ctl/table.h"

namespace px::cli {
namespace {

using nlohmann::json;

constexpr std::uint16_t kDnsPort = 53;

std::string text_at(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

struct Departure {
  std::string interface;
  bool earlier = false;  // by a socket from before the audit
};

// Where `via` lists several paths, an open connection stays with the one that it began with.
bool allows(const json& answer, const Departure& departure) {
  const std::string action = text_at(answer, "action");
  if (action == "system") return true;
  if (action != "via") return false;
  if (text_at(answer.at("entry"), "interface") == departure.interface) return true;
  return departure.earlier && std::ranges::any_of(answer.at("candidates"), [&](const json& one) {
           return text_at(one, "interface") == departure.interface;
         });
}

// Programs may ask their profile's servers themselves, by the path of `dns`.
bool is_own_name_server(const json& answer, const std::string& destination,
                        const std::string& interface) {
  const json& dns = answer.at("dns");
  if (!dns.is_object()) return false;
  return std::ranges::any_of(dns.at("servers"), [&](const json& server) {
    const std::string text = text_at(server, "server");
    return text_at(server, "interface") == interface &&
           (text == destination || text.starts_with(destination + ":") ||
            text.starts_with("[" + destination + "]"));
  });
}

std::string rule_text(const json& answer) {
  const json& rule = answer.at("rule");
  if (!rule.is_object()) return "the profile";
  return printable(text_at(rule, "file")) + ":" + std::to_string(rule.value("line", 0)) + " (to " +
         printable(text_at(rule, "to")) + ")";
}

Judgement judge_by(const json& answer, const Departure& departure) {
  const std::string action = text_at(answer, "action");
  if (action == "refuse") return {Explanation::kRefused, rule_text(answer) + " refuses it"};
  if (action == "fail") {
    return {Explanation::kUnavailable,
            rule_text(answer) + " has no path for it now (" + text_at(answer, "reason") + ")"};
  }
  if (allows(answer, departure)) return {};
  return {Explanation::kOtherInterface,
          rule_text(answer) + " sends it by " + text_at(answer.at("entry"), "interface")};
}

// DNS that no rule sends is libc's resolver: it asks the host's servers, as the host routes it.
bool is_name_lookup(const px_audit_flow& flow, const json& answer, const Departure& departure) {
  if (flow.port != kDnsPort || !answer.at("dns").is_null()) return false;
  return text_at(answer, "reason") != "rule" || !allows(answer, departure);
}

}  // namespace

const char* word_for(Explanation explanation) {
  switch (explanation) {
    case Explanation::kExplained:
      return "explained";
    case Explanation::kAnswer:
      return "answer";
    case Explanation::kElsewhere:
      return "elsewhere";
    case Explanation::kOtherInterface:
      return "other-interface";
    case Explanation::kRefused:
      return "refused";
    case Explanation::kUnavailable:
      return "unavailable";
    case Explanation::kNameLookup:
      break;
  }
  return "name-lookup";
}

Expected<json> Judge::ask(const json& request) {
  auto answer = client_.ask(request);
  if (!answer) {
    // The broker may have been started again since the last question.
    PX_ASSIGN_OR_RETURN(client_, Client::connect(client_.path()));
    answer = client_.ask(request);
  }
  if (answer && answer->contains("error")) return fail(text_at(*answer, "error"));
  return answer;
}

// By any name under which the profile's servers have given this address to a program.
Expected<bool> Judge::is_explained_by_name(json request, const json& answer,
                                           const std::string& interface) {
  for (const json& names : answer.value("answered_names", json::array())) {
    request["names"] = names;
    PX_ASSIGN_OR_RETURN(const json by_name, ask(request));
    if (allows(by_name, {interface, false})) return true;
  }
  return false;
}

Expected<Judgement> Judge::judge(const px_audit_flow& flow, const std::string& interface,
                                 const std::string& profile) {
  if ((flow.flags & PX_AUDIT_FOREIGN) != 0) return Judgement{Explanation::kElsewhere, {}};
  if ((flow.flags & (PX_AUDIT_ACTIVE | PX_AUDIT_UNKNOWN)) == 0)
    return Judgement{Explanation::kAnswer, {}};
  const std::string destination = destination_of(flow);
  json request = {{"command", "explain"},
                  {"profile", profile},
                  {"destination", destination},
                  {"port", flow.port},
                  {"transport", transport_of(flow)}};
  if (destination.starts_with("fe80:")) request["scope"] = flow.interface_index;
  PX_ASSIGN_OR_RETURN(const json answer, ask(request));
  if (is_own_name_server(answer, destination, interface)) return Judgement{};
  const Departure departure{interface, (flow.flags & PX_AUDIT_EARLIER) != 0};
  if (is_name_lookup(flow, answer, departure)) {
    return Judgement{Explanation::kNameLookup,
                     "a name lookup of libc's resolver, which asks the host's name servers as the "
                     "host routes it: profile " +
                         profile + " has no dns"};
  }
  Judgement judgement = judge_by(answer, departure);
  if (!judgement.is_finding()) return judgement;
  PX_ASSIGN_OR_RETURN(const bool by_name,
                      is_explained_by_name(request, answer, departure.interface));
  return by_name ? Judgement{} : judgement;
}

Expected<std::optional<std::string>> Judge::profile_of(pid_t pid) {
  // Whatever the destination: the answer says by which profile, and how it came to it.
  PX_ASSIGN_OR_RETURN(const json answer,
                      ask({{"command", "explain"}, {"pid", pid}, {"destination", "192.0.2.1"}}));
  const std::string from = text_at(answer, "profile_from");
  if (from != "session" && from != "match") return std::nullopt;
  return text_at(answer, "profile");
}

}  // namespace px::cli
