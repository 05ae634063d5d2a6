// SPDX-License-Identifier: MIT
#include <cstdio>
#include <exception>
#include <nlohmann/json.hpp>

#include "cli/ctl/ask.h"
#include "cli/ctl/options.h"
#include "cli/ctl/table.h"

namespace {

int run(int argc, char** argv) {
  const auto parsed = px::cli::parse_ctl_options({argv + (argc > 0 ? 1 : 0), argv + argc});
  if (!parsed) return px::cli::complain(parsed.error().message, px::cli::kUsage);
  if (parsed->command != nullptr)
    return parsed->command->run(parsed->options, px::cli::Terminal::of_stdout());
  px::cli::print(parsed->answer);
  return px::cli::kDone;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const int status = run(argc, argv);
    // An answer that could not be written must not look done.
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)
      return px::cli::complain("cannot write the answer", px::cli::kAnswerIsNo);
    return status;
  } catch (const nlohmann::json::exception& error) {
    return px::cli::complain(
        std::string(
            "the broker's answer is not as this pxctl knows it (is pxd of version " PX_VERSION
            "?): ") +
            error.what(),
        px::cli::kNoBroker);
  } catch (const std::exception& error) {
    return px::cli::complain(error.what(), px::cli::kAnswerIsNo);
  }
}
