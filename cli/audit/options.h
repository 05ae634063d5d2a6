// SPDX-License-Identifier: MIT
// px-audit's command line. px-exec and pxctl write it; users do not. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "util/error.h"

namespace px::cli {

struct AuditOptions {
  std::string socket;  // of the broker
  bool json = false;   // of running programs: findings and verdict as JSON
  std::optional<std::chrono::milliseconds> time;  // of running programs; absent: until interrupted
  std::string subject;                            // a profile or program; empty: all
  std::string profile;                            // of `program`
  std::string preload;                            // LD_PRELOAD of `program`
  std::string report;                             // file for the verdict on `program`, as JSON
  std::vector<std::string> program;               // empty: those that run
};

[[nodiscard]] Expected<AuditOptions> parse_audit_options(const std::vector<std::string>& words);

// "500ms", "60s", "5m", "1h"; a number alone is seconds.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_duration(const std::string& text);

}  // namespace px::cli
