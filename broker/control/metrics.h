// SPDX-License-Identifier: MIT
// What the broker says of itself and of the profiles, as OpenMetrics 1.0 has it: no word about a
// single program, user or destination. Pure functions of reports.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "broker/sessions/counters_page.h"

namespace px::broker {

struct MetricSample {
  std::vector<std::pair<const char*, std::string>> labels;  // values as they are, not escaped
  std::uint64_t value = 0;
};

// A family: samples of one name.
struct Metric {
  const char* name;  // without the suffix that OpenMetrics gives samples of the type
  const char* type;  // "counter", "gauge" or "info"
  const char* help;
  std::vector<MetricSample> samples{};
};

// `status`, `paths` and `names`: the answers to these commands.
[[nodiscard]] std::vector<Metric> metrics_of(const nlohmann::json& status,
                                             const nlohmann::json& paths,
                                             const nlohmann::json& names,
                                             const std::map<std::string, Totals>& totals);

inline constexpr char kOpenMetricsType[] =
    "application/openmetrics-text; version=1.0.0; charset=utf-8";
[[nodiscard]] std::string open_metrics_text(const std::vector<Metric>& metrics);
[[nodiscard]] nlohmann::json metrics_report(const std::vector<Metric>& metrics);

}  // namespace px::broker
