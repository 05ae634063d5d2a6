// SPDX-License-Identifier: MIT
// pxctl's command line (pxctl(1)).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cli/ctl/table.h"
#include "util/error.h"

namespace px::cli {

// Exit statuses.
inline constexpr int kDone = 0;
inline constexpr int kAnswerIsNo = 1;
inline constexpr int kUsage = 2;
inline constexpr int kNoBroker = 3;

struct CtlOptions {
  bool json = false;
  std::string config;
  std::string socket;
  // `explain`.
  std::string program;
  std::string destination;
  std::string port;  // a number or a service's name; empty: not given
  std::string profile;
  std::string transport = "tcp";
  // `router`.
  std::string router_action;  // "add" or "delete"
  std::string router;
  // `move`, with `profile`.
  int pid = 0;
  // `check`.
  std::string file;
};

using Command = std::function<int(const CtlOptions&, const Terminal&)>;

struct ParsedCtlOptions {
  CtlOptions options;
  Command command;     // none where --help or --version asked for text
  std::string answer;  // that text
};

[[nodiscard]] Expected<ParsedCtlOptions> parse_ctl_options(const std::vector<std::string>& words);

}  // namespace px::cli
