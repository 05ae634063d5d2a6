// SPDX-License-Identifier: MIT
#include "broker/control/metrics.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

namespace px::broker {
namespace {

using nlohmann::json;

// The text of a report, which may be null: as UTF-8.
std::string label(const json& value) {
  if (!value.is_string()) return value.is_null() ? std::string() : value.dump();
  const auto replaced = value.dump(-1, ' ', false, json::error_handler_t::replace);
  return json::parse(replaced).get<std::string>();
}

std::uint64_t number(const json& value) {
  return value.is_boolean() ? static_cast<std::uint64_t>(value.get<bool>())
                            : value.get<std::uint64_t>();
}

Metric single(const char* name, const char* type, const char* help, const json& value) {
  return {name, type, help, {{{}, number(value)}}};
}

void add_broker(const json& status, std::vector<Metric>& metrics) {
  const json& reload = status.at("last_reload");
  metrics.push_back({"px_build",
                     "info",
                     "The broker that runs.",
                     {{{{"version", label(status.at("version"))}}, 1}}});
  metrics.push_back(single("px_start_time_seconds", "gauge", "When the broker began, UNIX time.",
                           status.at("started")));
  metrics.push_back(single("px_policy_generation", "gauge",
                           "The policy in force: 1, and one more at each reload.",
                           status.at("generation")));
  metrics.push_back(single("px_policy_reload_successful", "gauge",
                           "Whether the last reload put the policy in force.", reload.at("ok")));
  metrics.push_back(single("px_policy_reload_time_seconds", "gauge",
                           "When the policy was read last, UNIX time.", reload.at("time")));
  metrics.push_back(single("px_connections", "gauge", "Open connections to the broker.",
                           status.at("connections")));
}

void add_profiles(const json& status, const std::map<std::string, Totals>& totals,
                  std::vector<Metric>& metrics) {
  Metric programs{"px_profile_programs", "gauge", "Programs that run under the profile."};
  Metric bytes{"px_plan_bytes", "gauge", "The size of the profile's plan."};
  Metric decisions{"px_decisions", "counter",
                   "Calls that were decided, as the profile's programs count them."};
  Metric lookups{"px_lookups", "counter", "Names that the broker looked up for programs."};
  Metric failed{"px_lookups_failed", "counter", "Those that no server answered."};
  for (const json& profile : status.at("profiles")) {
    const std::string name = label(profile.at("name"));
    const auto found = totals.find(name);
    const Totals counted = found == totals.end() ? Totals() : found->second;
    programs.samples.push_back({{{"profile", name}}, number(profile.at("programs"))});
    bytes.samples.push_back({{{"profile", name}}, number(profile.at("plan_bytes"))});
    const auto add = [&](const char* outcome, std::uint64_t count) {
      decisions.samples.push_back({{{"profile", name}, {"outcome", outcome}}, count});
    };
    add("routed", counted.routed);
    add("system", counted.system);
    add("refused", counted.refused);
    add("unavailable", counted.unavailable);
    lookups.samples.push_back({{{"profile", name}}, counted.names});
    failed.samples.push_back({{{"profile", name}}, counted.names_failed});
  }
  for (Metric* metric : {&programs, &bytes, &decisions, &lookups, &failed}) {
    metrics.push_back(std::move(*metric));
  }
}

void add_paths(const json& report, std::vector<Metric>& metrics) {
  Metric usable{"px_entry_usable", "gauge", "Whether the host's entry can be used now."};
  for (const json& entry : report.at("entries")) {
    usable.samples.push_back({{{"interface", label(entry.at("interface"))},
                               {"family", label(entry.at("family"))},
                               {"source", label(entry.at("source"))},
                               {"next_hop", label(entry.at("next_hop"))}},
                              number(entry.at("usable"))});
  }
  Metric available{"px_path_available_entries", "gauge",
                   "The path's entries that can be used now."};
  for (const json& path : report.at("paths")) {
    available.samples.push_back({{{"path", label(path.at("name"))}}, path.at("available").size()});
  }
  metrics.push_back(std::move(usable));
  metrics.push_back(std::move(available));
}

void add_names(const json& report, std::vector<Metric>& metrics) {
  metrics.push_back(single("px_names_kept", "gauge", "Answers of name servers that are kept.",
                           report.at("answers")));
  metrics.push_back(single("px_names_kept_bytes", "gauge", "What these take.", report.at("bytes")));
  metrics.push_back(single("px_lookups_under_way", "gauge", "Names that are being asked for now.",
                           report.at("under_way")));
  Metric answering{"px_name_server_answering", "gauge",
                   "Whether the server can be asked, and was not silent when it was last asked."};
  for (const json& profile : report.at("profiles")) {
    std::vector<std::string> seen;
    for (const json& server : profile.at("servers")) {
      std::string address = label(server.at("server"));
      if (std::find(seen.begin(), seen.end(), address) != seen.end()) continue;
      seen.push_back(address);
      const bool answers = server.at("usable").get<bool>() && !server.at("silent").get<bool>() &&
                           !server.at("refused").get<bool>();
      answering.samples.push_back(
          {{{"profile", label(profile.at("profile"))}, {"server", std::move(address)}},
           static_cast<std::uint64_t>(answers)});
    }
  }
  metrics.push_back(std::move(answering));
}

const char* suffix_of(std::string_view type) {
  if (type == "counter") return "_total";
  return type == "info" ? "_info" : "";
}

void append_value(const std::string& value, std::string& text) {
  for (const char c : value) {
    if (c == '\\' || c == '"') text += '\\';
    text += c == '\n' ? std::string("\\n") : std::string(1, c);
  }
}

}  // namespace

std::vector<Metric> metrics_of(const json& status, const json& paths, const json& names,
                               const std::map<std::string, Totals>& totals) {
  std::vector<Metric> metrics;
  add_broker(status, metrics);
  add_profiles(status, totals, metrics);
  add_paths(paths, metrics);
  add_names(names, metrics);
  return metrics;
}

std::string open_metrics_text(const std::vector<Metric>& metrics) {
  std::string text;
  for (const Metric& metric : metrics) {
    const std::string name = metric.name;
    text += "# TYPE " + name + " " + metric.type + "\n# HELP " + name + " " + metric.help + "\n";
    for (const MetricSample& sample : metric.samples) {
      text += name + suffix_of(metric.type);
      const char* before = "{";
      for (const auto& [key, value] : sample.labels) {
        text += before + std::string(key) + "=\"";
        append_value(value, text);
        text += '"';
        before = ",";
      }
      text += (sample.labels.empty() ? " " : "} ") + std::to_string(sample.value) + "\n";
    }
  }
  return text + "# EOF\n";
}

json metrics_report(const std::vector<Metric>& metrics) {
  json families = json::array();
  for (const Metric& metric : metrics) {
    json samples = json::array();
    for (const MetricSample& sample : metric.samples) {
      json labels = json::object();
      for (const auto& [key, value] : sample.labels) labels[key] = value;
      samples.push_back({{"labels", std::move(labels)}, {"value", sample.value}});
    }
    families.push_back({{"name", metric.name},
                        {"type", metric.type},
                        {"help", metric.help},
                        {"samples", std::move(samples)}});
  }
  return {{"metrics", std::move(families)}};
}

}  // namespace px::broker
