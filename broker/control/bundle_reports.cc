// SPDX-License-Identifier: MIT
#include "broker/control/bundle_reports.h"

#include <nlohmann/json.hpp>
#include <optional>

namespace px::broker {
namespace {

using nlohmann::json;

// Names are alike in every profile.
std::optional<plan::BundleNotation> notation_of(const std::string& name,
                                                const Publisher& publisher) {
  for (const auto& [profile, published] : publisher.all()) {
    if (!published.removed) return published.file->plan().bundle_named(name);
  }
  return std::nullopt;
}

const char* name_of(plan::BundleTransport transport) {
  switch (transport) {
    case plan::BundleTransport::kSctp:
      return "sctp";
    case plan::BundleTransport::kMptcp:
      return "mptcp";
    case plan::BundleTransport::kTcp:
      return "tcp";
    case plan::BundleTransport::kNone:
      break;
  }
  return "none";
}

const char* name_of(plan::BundleEntries entries) {
  switch (entries) {
    case plan::BundleEntries::kAlways:
      return "always";
    case plan::BundleEntries::kNever:
      return "never";
    case plan::BundleEntries::kByProgram:
      break;
  }
  return "by-program";
}

}  // namespace

json bundle_report(const std::string& name, const Publisher& publisher) {
  const auto notation = notation_of(name, publisher);
  return {{"name", name},
          {"known", notation.has_value()},
          {"notation", notation && notation->length != 0 ? json(notation->text()) : json()},
          {"alias", notation && notation->implicit}};
}

json bundles_report(const std::vector<BundleDefinition>& bundles) {
  json report = json::array();
  for (const BundleDefinition& bundle : bundles) {
    json aliases = bundle.aliases;
    if (bundle.any) aliases.push_back("any");
    report.push_back({{"name", bundle.name},
                      {"hosts", bundle.notation.empty() ? json() : json(bundle.notation)},
                      {"aliases", aliases}});
  }
  return report;
}

json settings_report(const plan::BundleSettings& settings) {
  json transports = json::array();
  for (const auto transport : settings.transports) {
    if (transport == plan::BundleTransport::kNone) break;
    transports.push_back(name_of(transport));
  }
  return {{"transports", transports},
          {"stagger_ms", settings.stagger_ms == 0 ? json() : json(settings.stagger_ms)},
          {"entries", name_of(settings.entries)},
          {"sockets", settings.all_sockets != 0 ? "all" : "bundles"}};
}

const char* name_of(bundle::Health health) {
  switch (health) {
    case bundle::Health::kAlive:
      return "alive";
    case bundle::Health::kDead:
      return "dead";
    case bundle::Health::kUnknown:
      break;
  }
  return "unknown";
}

}  // namespace px::broker
