// SPDX-License-Identifier: MIT
// An audit's findings and its verdict, as text and as JSON. Pure.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "cli/audit/audit.h"

namespace px::cli {

// What an audit could not hold against the plan.
struct Unseen {
  std::uint64_t foreign = 0;     // packets in other network namespaces
  std::uint64_t answers = 0;     // packets of connections that came in
  std::uint64_t unexamined = 0;  // programs that were gone before they could be looked at
  std::vector<std::string> troubles{};
  std::uint64_t lost_packets = 0;

  // Nothing was lost that should have been judged.
  [[nodiscard]] bool is_complete() const { return troubles.empty() && lost_packets == 0; }
};

// One line for each, for people; what no audit sees is among them.
[[nodiscard]] std::vector<std::string> texts_of(const Unseen& unseen);

[[nodiscard]] nlohmann::json finding_report(const Finding& finding);
[[nodiscard]] std::string finding_text(const Finding& finding);
[[nodiscard]] nlohmann::json uncovered_report(const AuditedProcesses& processes);

// Of the JSON of Audit::end(): several lines, each ended.
[[nodiscard]] std::string verdict_text(const nlohmann::json& verdict);

}  // namespace px::cli
