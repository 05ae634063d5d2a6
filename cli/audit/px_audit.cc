// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "cli/audit/audited_program.h"
#include "cli/audit/options.h"
#include "cli/audit/running_programs.h"
#include "cli/ctl/ask.h"

namespace {

int run(int argc, char** argv) {
  const std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
  const auto options = px::cli::parse_audit_options(words);
  if (!options) {
    const bool as_json = std::find(words.begin(), words.end(), "--json") != words.end();
    return px::cli::complain(as_json, options.error().message, px::cli::kUsage);
  }
  if (!options->program.empty()) return px::cli::audit_program(*options);
  return px::cli::audit_running_programs(*options);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "px-audit: %s\n", error.what());
    return px::cli::kCannotAudit;
  }
}
