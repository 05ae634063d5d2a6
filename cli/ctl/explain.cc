// SPDX-License-Identifier: MIT
#include <net/if.h>
#include <netdb.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>

#include "cli/ctl/ask.h"
#include "cli/ctl/commands.h"
#include "cli/ctl/explain_text.h"
#include "cli/ctl/subject.h"
#include "cli/locations.h"
#include "libbundle/core/address.h"

namespace px::cli {
namespace {

using bundle::Endpoint;
using nlohmann::json;

constexpr std::uint16_t kAssumedPort = 443;

std::optional<std::uint16_t> parse_port(const std::string& text, const std::string& transport) {
  std::uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, port);
  if (error == std::errc() && stopped == end && port != 0) return port;
  const servent* service = getservbyname(text.c_str(), transport.c_str());
  if (service == nullptr) return std::nullopt;
  return ntohs(static_cast<std::uint16_t>(service->s_port));
}

// An interface's name or number; 0 where there is none.
std::uint32_t parse_scope(const std::string& text) {
  std::uint32_t index = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, index);
  return error == std::errc() && stopped == end ? index : if_nametoindex(text.c_str());
}

Expected<std::vector<Endpoint>> resolve(const std::string& name) {
  addrinfo hints{};
  // One entry an address; which transport does not matter here.
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  if (const int error = getaddrinfo(name.c_str(), nullptr, &hints, &list); error != 0)
    return fail(name + ": " + gai_strerror(error));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(list, freeaddrinfo);
  std::vector<Endpoint> endpoints;
  for (const addrinfo* info = list; info != nullptr; info = info->ai_next) {
    const auto endpoint = bundle::endpoint_from_sockaddr(info->ai_addr, info->ai_addrlen);
    const auto same = [&](const Endpoint& known) { return known.address == endpoint->address; };
    if (endpoint && std::none_of(endpoints.begin(), endpoints.end(), same))
      endpoints.push_back(*endpoint);
  }
  return endpoints;
}

struct Destination {
  std::vector<Endpoint> endpoints;
  bool by_name = false;
};

Expected<Destination> find_destination(std::string text) {
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  const auto percent = text.find('%');
  const auto address = bundle::address_from_text(text.substr(0, percent));
  if (!address) {
    auto endpoints = resolve(text);
    if (!endpoints) return tl::make_unexpected(endpoints.error());
    return Destination{std::move(*endpoints), true};
  }
  Endpoint endpoint{*address, 0, 0};
  if (percent != std::string::npos) {
    endpoint.scope = parse_scope(text.substr(percent + 1));
    if (endpoint.scope == 0) return fail(text + ": there is no such interface");
  }
  return Destination{{endpoint}, false};
}

// A program that is started from here gets the profile that pxctl itself runs under, if any.
std::string asked_profile(const CtlOptions& options, const Subject& subject) {
  if (!options.profile.empty() || subject.pid) return options.profile;
  return environment(plan::kProfileVariable);
}

json question(const CtlOptions& options, const Subject& subject, const Endpoint& endpoint) {
  std::array<char, bundle::kAddressTextSize> buffer{};
  const std::string& program = subject.file.empty() ? subject.named : subject.file;
  const std::string profile = asked_profile(options, subject);
  return {{"command", "explain"},
          {"profile", profile.empty() ? json() : json(profile)},
          {"program", subject.pid ? json() : json(program)},
          {"pid", subject.pid ? json(*subject.pid) : json()},
          {"destination", bundle::address_text(endpoint.address, buffer)},
          {"scope", endpoint.scope},
          {"port", endpoint.port},
          {"transport", options.transport}};
}

void print_sentences(const CtlOptions& options, const Subject& subject, const json& answers,
                     const Terminal& terminal) {
  std::string text = coverage_text(subject, terminal) + profile_text(answers.front());
  if (options.port.empty())
    text += "No port is given; " + std::to_string(kAssumedPort) + " is assumed.\n";
  for (const json& answer : answers) text += "\n" + verdict_text(answer, terminal);
  print(text);
}

}  // namespace

int run_explain(const CtlOptions& options, const Terminal& terminal) {
  const auto port = options.port.empty() ? std::optional(kAssumedPort)
                                         : parse_port(options.port, options.transport);
  if (!port) return complain("'" + options.port + "' is neither a port nor a service", kUsage);
  const auto subject = find_subject(options.program);
  if (!subject) return complain(subject.error().message, kAnswerIsNo);
  auto destination = find_destination(options.destination);
  if (!destination) return complain(destination.error().message, kAnswerIsNo);
  auto client = reach_broker(options);
  if (!client) return client.error();
  json answers = json::array();
  for (Endpoint& endpoint : destination->endpoints) {
    endpoint.port = *port;
    auto answer = ask_broker(*client, options, question(options, *subject, endpoint));
    if (!answer) return answer.error();
    if (options.profile.empty() && text_of(*answer, "profile_from") == "request")
      (*answer)["profile_from"] = "environment";
    (*answer)["coverage"] = coverage_report(*subject);
    answers.push_back(std::move(*answer));
  }
  if (answers.empty()) return complain(options.destination + ": no IP address", kAnswerIsNo);
  if (options.json) {
    print_json(destination->by_name ? answers : answers.front());
  } else {
    print_sentences(options, *subject, answers, terminal);
  }
  return kDone;
}

}  // namespace px::cli
