// SPDX-License-Identifier: MIT
#include "cli/ctl/destination.h"

#include <netdb.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "libbundle/core/host_name.h"
#include "libbundle/core/notation.h"
#include "libbundle/core/zone.h"

namespace px::cli {
namespace {

using bundle::Endpoint;
using bundle::NotationKind;
using nlohmann::json;

// The addresses of a name, and the names by which a program would know them.
struct Resolved {
  std::vector<Endpoint> endpoints;
  std::vector<std::string> names;
};

// getaddrinfo(3) tells the last of CNAMEs alone.
void add_aliases(const std::string& name, const Endpoint& endpoint,
                 std::vector<std::string>& names) {
  const hostent* host =
      gethostbyname2(name.c_str(), endpoint.address.is_ipv4() ? AF_INET : AF_INET6);
  if (host == nullptr) return;
  for (char** alias = host->h_aliases; *alias != nullptr; ++alias) names.emplace_back(*alias);
  names.emplace_back(host->h_name);
}

Expected<Resolved> resolve(const std::string& name) {
  addrinfo hints{};
  hints.ai_flags = AI_CANONNAME;
  // One entry an address; which transport does not matter here.
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  if (const int error = getaddrinfo(name.c_str(), nullptr, &hints, &list); error != 0)
    return fail(name + ": " + gai_strerror(error));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(list, freeaddrinfo);
  Resolved resolved{{}, {name}};
  auto& endpoints = resolved.endpoints;
  for (const addrinfo* info = list; info != nullptr; info = info->ai_next) {
    const auto endpoint = bundle::endpoint_from_sockaddr(info->ai_addr, info->ai_addrlen);
    const auto same = [&](const Endpoint& known) { return known.address == endpoint->address; };
    if (endpoint && std::none_of(endpoints.begin(), endpoints.end(), same))
      endpoints.push_back(*endpoint);
  }
  if (endpoints.empty()) return fail(name + ": no IP address");
  const std::string canonical = list->ai_canonname == nullptr ? "" : list->ai_canonname;
  if (!bundle::equal_names(canonical, name)) add_aliases(name, endpoints.front(), resolved.names);
  resolved.names.push_back(canonical);
  return resolved;
}

// Address and zone, or an error about the zone; nothing where the text is no address.
Expected<std::optional<Endpoint>> numeric(const std::string& text) {
  const auto percent = text.find('%');
  const auto address = bundle::address_from_text(text.substr(0, percent));
  if (!address) return std::nullopt;
  Endpoint endpoint{*address, 0, 0};
  if (percent == std::string::npos) return endpoint;
  endpoint.scope = bundle::zone_index(text.substr(percent + 1));
  if (endpoint.scope == 0) return fail(text + ": there is no such interface");
  return endpoint;
}

void add(Destination& destination, const std::string& text, const bundle::Member& member) {
  Target target{{}, text, {}, member.group};
  const auto address = numeric(text);
  if (!address) {
    target.failure = address.error().message;
  } else if (*address) {
    target.endpoint = **address;
  } else if (const auto resolved = resolve(text)) {
    for (const Endpoint& endpoint : resolved->endpoints)
      destination.targets.push_back({endpoint, text, {}, member.group, resolved->names});
    return;
  } else {
    target.failure = resolved.error().message;
  }
  destination.targets.push_back(std::move(target));
}

Expected<Destination> members_of(const std::string& text) {
  const auto notation = bundle::parse_notation(text);
  if (notation.kind != NotationKind::kMembers) {
    return fail("'" + text + "' is no bundle: " + std::string(bundle::fault_text(notation.fault)));
  }
  Destination destination{{}, text, true};
  for (const bundle::Member& member : notation.members()) {
    std::string written(member.text);
    // The forms of `.bundle` names are addresses nowhere else.
    if (member.numeric) {
      std::array<char, bundle::kAddressTextSize> buffer{};
      written = bundle::address_text(member.address, buffer);
      if (!member.zone.empty()) written += "%" + std::string(member.zone);
    }
    add(destination, written, member);
  }
  const bool found = std::any_of(destination.targets.begin(), destination.targets.end(),
                                 [](const Target& target) { return target.failure.empty(); });
  if (!found) return fail(destination.targets.front().failure);
  return destination;
}

Expected<Destination> addresses_of(const std::string& name) {
  PX_ASSIGN_OR_RETURN(const Resolved resolved, resolve(name));
  Destination destination{{}, {}, true};
  for (const Endpoint& endpoint : resolved.endpoints)
    destination.targets.push_back({endpoint, {}, {}, 0, resolved.names});
  return destination;
}

// The name as programs know it.
Expected<Destination> named(const std::string& name, const json& known, bool policy_name) {
  const std::string notation = text_of(known, "notation");
  if (!notation.empty()) {
    PX_ASSIGN_OR_RETURN(Destination members, members_of(notation));
    // Programs know them by this name as well.
    for (Target& target : members.targets) target.names.insert(target.names.begin(), name);
    return members;
  }
  if (policy_name) return fail("the policy has no bundle '" + name + "'");
  return addresses_of(name);
}

}  // namespace

Answer<Destination> find_destination(const CtlOptions& options, std::string text) {
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  const auto refused = [&](const Expected<Destination>& found) -> Answer<Destination> {
    if (found) return *found;
    return tl::make_unexpected(complain(options, found.error().message, kAnswerIsNo));
  };
  const auto kind = bundle::parse_notation(text).kind;
  if (kind == NotationKind::kMembers || kind == NotationKind::kBad) {
    return refused(members_of(text));
  }
  const auto address = numeric(text);
  if (!address) return refused(tl::make_unexpected(address.error()));
  if (*address) return Destination{{Target{**address, {}, {}, 0}}, {}, false};
  PX_ASSIGN_OR_RETURN(const json known,
                      ask_broker(options, {{"command", "bundle"}, {"name", text}}));
  return refused(named(text, known, kind == NotationKind::kPolicyName));
}

}  // namespace px::cli
