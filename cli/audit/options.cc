// SPDX-License-Identifier: MIT
#include "cli/audit/options.h"

#include <algorithm>
#include <charconv>
#include <iterator>

namespace px::cli {
namespace {

struct TextOption {
  const char* name;
  std::string AuditOptions::*value;
};
constexpr TextOption kTextOptions[] = {{"--socket", &AuditOptions::socket},
                                       {"--profile", &AuditOptions::profile},
                                       {"--preload", &AuditOptions::preload},
                                       {"--report", &AuditOptions::report}};

struct Unit {
  const char* name;
  std::int64_t milliseconds;
};
constexpr Unit kUnits[] = {{"", 1000}, {"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}};
constexpr std::int64_t kLongest = 1'000'000;  // of any unit

}  // namespace

std::optional<std::chrono::milliseconds> parse_duration(const std::string& text) {
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || number <= 0 || number > kLongest) return std::nullopt;
  const std::string unit(stopped, end);
  for (const Unit& known : kUnits) {
    if (unit == known.name) return std::chrono::milliseconds(number * known.milliseconds);
  }
  return std::nullopt;
}

Expected<AuditOptions> parse_audit_options(const std::vector<std::string>& words) {
  AuditOptions options;
  for (auto word = words.begin(); word != words.end(); ++word) {
    if (*word == "--") {
      options.program.assign(std::next(word), words.end());
      break;
    }
    if (*word == "--json") {
      options.json = true;
      continue;
    }
    if (!word->starts_with("--")) {
      options.subject = *word;
      continue;
    }
    const std::string& name = *word;
    if (std::next(word) == words.end()) return fail(name + " needs a value");
    const std::string& value = *++word;
    if (name == "--for") {
      options.time = parse_duration(value);
      if (!options.time) return fail("--for takes a time such as 500ms, 60s, 5m or 1h: " + value);
      continue;
    }
    const auto* known = std::ranges::find_if(
        kTextOptions, [&](const TextOption& option) { return name == option.name; });
    if (known == std::end(kTextOptions)) return fail("there is no option " + name);
    options.*known->value = value;
  }
  return options;
}

}  // namespace px::cli
