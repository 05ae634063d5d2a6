// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstdio>
#include <exception>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/ctl/ask.h"
#include "cli/ctl/options.h"
#include "cli/ctl/table.h"

namespace {

// Also where the command line does not read.
bool asks_for_json(const std::vector<std::string>& words) {
  return std::find(words.begin(), words.end(), "--json") != words.end();
}

int run(const std::vector<std::string>& words) {
  const auto parsed = px::cli::parse_ctl_options(words);
  if (!parsed) {
    return px::cli::complain(asks_for_json(words), parsed.error().message, px::cli::kUsage);
  }
  if (parsed->command != nullptr)
    return parsed->command->run(parsed->options, px::cli::Terminal::of_stdout());
  px::cli::print(parsed->answer);
  return px::cli::kDone;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
  try {
    const int status = run(words);
    // An answer that could not be written must not look done.
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)
      return px::cli::complain(false, "cannot write the answer", px::cli::kAnswerIsNo);
    return status;
  } catch (const nlohmann::json::exception& error) {
    return px::cli::complain(
        asks_for_json(words),
        std::string(
            "the broker's answer is not as this pxctl knows it (is pxd of version " PX_VERSION
            "?): ") +
            error.what(),
        px::cli::kNoBroker);
  } catch (const std::exception& error) {
    return px::cli::complain(asks_for_json(words), error.what(), px::cli::kAnswerIsNo);
  }
}
