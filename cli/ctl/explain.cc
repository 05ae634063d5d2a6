// SPDX-License-Identifier: MIT
#include <netdb.h>

#include <array>
#include <charconv>
#include <nlohmann/json.hpp>

#include "cli/ctl/ask.h"
#include "cli/ctl/commands.h"
#include "cli/ctl/destination.h"
#include "cli/ctl/explain_text.h"
#include "cli/ctl/subject.h"
#include "cli/ctl/table.h"
#include "cli/locations.h"
#include "libbundle/core/address.h"

namespace px::cli {
namespace {

using bundle::Endpoint;
using nlohmann::json;

constexpr std::uint16_t kAssumedPort = 443;
constexpr char kIcmp[] = "icmp";
constexpr const char* kTransports[] = {"tcp", "udp", kIcmp};
constexpr Parameter kExplainParameters[] = {
    {.name = "PROGRAM",
     .help = "A name, a path, or the pid of a running program",
     .required = true},
    {.name = "DESTINATION", .help = "An address, or a name", .required = true},
    {.name = "PORT", .help = "A number or a service's name (default: 443)"},
    {.name = "--profile", .help = "Instead of the profile that the program has or would get"},
    {.name = "--proto", .help = "tcp, udp or icmp", .choices = kTransports, .initial = "tcp"},
};

std::optional<std::uint16_t> parse_port(const std::string& text, const std::string& transport) {
  std::uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, port);
  if (error == std::errc() && stopped == end && port != 0) return port;
  const servent* service = getservbyname(text.c_str(), transport.c_str());
  if (service == nullptr) return std::nullopt;
  return ntohs(static_cast<std::uint16_t>(service->s_port));
}

// Nothing where the text is no port.
std::optional<std::uint16_t> asked_port(const CtlOptions& options) {
  const std::string& named = options.value("PORT");
  if (!named.empty()) return parse_port(named, options.value("--proto"));
  return options.value("--proto") == kIcmp ? 0 : kAssumedPort;
}

// A program that is started from here would get the profile that pxctl itself runs under.
std::string asked_profile(const CtlOptions& options, const Subject& subject) {
  const std::string& named = options.value("--profile");
  if (!named.empty() || subject.pid) return named;
  return environment(plan::kProfileVariable);
}

json question(const CtlOptions& options, const Subject& subject, const Target& target) {
  const Endpoint& endpoint = target.endpoint;
  std::array<char, bundle::kAddressTextSize> buffer{};
  const std::string& program = subject.file.empty() ? subject.named : subject.file;
  const std::string profile = asked_profile(options, subject);
  return {{"command", "explain"},
          {"profile", profile.empty() ? json() : json(profile)},
          {"program", subject.pid ? json() : json(program)},
          {"pid", subject.pid ? json(*subject.pid) : json()},
          {"destination", bundle::address_text(endpoint.address, buffer)},
          {"scope", endpoint.scope},
          {"names", target.names},
          {"port", endpoint.port},
          {"transport", options.value("--proto")}};
}

std::string bundle_text(const Subject& subject, const Destination& destination) {
  if (destination.notation.empty()) return {};
  std::string text = "A bundle: " + printable(destination.notation) + ".\n";
  for (const Target& target : destination.targets) {
    if (!target.failure.empty()) text += "Left out: " + printable(target.failure) + ".\n";
  }
  if (subject.has_capabilities) {
    text +=
        "The program has capabilities: each of its processes knows the bundles alone that it has "
        "looked up itself.\n";
  }
  return text;
}

void print_sentences(const CtlOptions& options, const Subject& subject,
                     const Destination& destination, const json& answers,
                     const Terminal& terminal) {
  std::string text = coverage_text(subject, terminal) + profile_text(answers.front());
  if (options.value("PORT").empty() && options.value("--proto") != kIcmp)
    text += "No port is given; " + std::to_string(kAssumedPort) + " is assumed.\n";
  text += bundle_text(subject, destination);
  for (const json& answer : answers) text += "\n" + verdict_text(answer, terminal);
  print(text);
}

// The broker's answer, with the facts that only pxctl knows.
Answer<json> ask_about(Client& client, const CtlOptions& options, const Subject& subject,
                       const Destination& destination, const Target& target) {
  auto answer = ask_broker(client, options, question(options, subject, target));
  if (!answer) return answer;
  if (options.value("--profile").empty() && text_of(*answer, "profile_from") == "request")
    (*answer)["profile_from"] = "environment";
  (*answer)["coverage"] = coverage_report(subject);
  if (!destination.notation.empty()) {
    (*answer)["bundle"] = destination.notation;
    (*answer)["shares_lookups"] = !subject.has_capabilities;
    (*answer)["member"] = target.member;
    (*answer)["alternative"] = target.alternative;
  }
  return answer;
}

int run_explain(const CtlOptions& options, const Terminal& terminal) {
  const auto port = asked_port(options);
  const std::string& named = options.value("PORT");
  if (!named.empty() && options.value("--proto") == kIcmp)
    return complain(options, "ICMP has no ports; leave '" + named + "' out", kUsage);
  if (!port) return complain(options, "'" + named + "' is neither a port nor a service", kUsage);
  const auto subject = find_subject(options.value("PROGRAM"));
  if (!subject) return complain(options, subject.error().message, kAnswerIsNo);
  auto destination = find_destination(options, options.value("DESTINATION"));
  if (!destination) return destination.error();
  // Not before: DNS may take longer than the broker keeps a connection that says nothing.
  auto client = reach_broker(options);
  if (!client) return client.error();
  json answers = json::array();
  for (Target& target : destination->targets) {
    if (!target.failure.empty()) continue;
    target.endpoint.port = *port;
    auto answer = ask_about(*client, options, *subject, *destination, target);
    if (!answer) return answer.error();
    answers.push_back(std::move(*answer));
  }
  if (options.json) {
    print_json(destination->several ? answers : answers.front());
  } else {
    print_sentences(options, *subject, *destination, answers, terminal);
  }
  return kDone;
}

}  // namespace

const Command explain_command{run_explain, kExplainParameters};

}  // namespace px::cli
