// SPDX-License-Identifier: MIT
#include "cli/exec/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "plan/wire.h"

namespace px::cli {
namespace {

void add_options(CLI::App& app, ExecOptions& options) {
  app.set_version_flag("--version", "px-exec " PX_VERSION);
  auto* profile = app.add_option("--profile", options.profile,
                                 "The policy's profile to run under (default: default-profile)");
  auto* via = app.add_option("--via", options.via,
                             "Send everything through this: a path of the policy, an entry's "
                             "number, or an interface");
  auto* rules = app.add_option("--rules", options.rules, "Run under the rules of this file");
  auto* config = app.add_option("--config", options.config,
                                "Policy file to run a private broker on (default, where no broker "
                                "runs: the user's, else /etc/px/px.yaml)");
  auto* socket = app.add_option("--socket", options.socket,
                                "The broker's socket (default: $PX_SOCKET, "
                                "else the system's, else the user's)");
  app.add_flag("--allow-uncovered", options.allow_uncovered,
               "Run the program even where px cannot act in it");
  profile->type_name("NAME");
  via->type_name("WAY");
  for (CLI::Option* option : {rules, config, socket}) option->type_name("FILE");
  profile->excludes(via)->excludes(rules);
  via->excludes(rules);
  socket->excludes(rules)->excludes(config);
  app.footer(
      "Own failures end with status 125; 126: PROGRAM cannot be run; 127: it is not found.\n"
      "Else the status is the program's own. See px-exec(1).");
}

// CLI11 does not know of the words that it is not shown.
std::string help_text(const CLI::App& app) {
  constexpr std::string_view kOptions = "[OPTIONS]";
  std::string text = app.help();
  const auto place = text.find(kOptions);
  if (place != std::string::npos)
    text.insert(place + kOptions.size(), " [--] PROGRAM [ARGUMENTS...]");
  return text;
}

bool takes_value(const CLI::App& app, const std::string& word) {
  const CLI::Option* option = app.get_option_no_throw(word);
  return option != nullptr && option->get_items_expected_max() > 0;
}

// How many words are px-exec's own.
std::size_t own_words(const CLI::App& app, const std::vector<std::string>& words) {
  std::size_t count = 0;
  while (count < words.size() && words[count].starts_with('-') && words[count] != "--") {
    count += takes_value(app, words[count]) ? 2 : 1;
  }
  return std::min(count, words.size());
}

// An option given as nothing would silently mean that it was not given.
Expected<void> check_values(const CLI::App& app, const ExecOptions& options) {
  for (const char* name : {"--profile", "--via", "--rules", "--config", "--socket"}) {
    const CLI::Option* option = app.get_option(name);
    if (option->count() > 0 && option->as<std::string>().empty())
      return fail(std::string(name) + " is given without a value");
  }
  if (!options.profile.empty() && !plan::valid_profile_name(options.profile))
    return fail("'" + options.profile + "' cannot be a profile's name");
  return {};
}

}  // namespace

Expected<ParsedExecOptions> parse_exec_options(const std::vector<std::string>& words) {
  ExecOptions options;
  CLI::App app("Runs a program under a profile of px: its connections leave as the policy says.",
               "px-exec");
  add_options(app, options);
  const std::size_t own = own_words(app, words);
  const auto split = words.begin() + static_cast<std::ptrdiff_t>(own);
  std::vector<std::string> reversed(words.begin(), split);
  std::reverse(reversed.begin(), reversed.end());
  try {
    app.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    return ParsedExecOptions{std::nullopt, help_text(app)};
  } catch (const CLI::CallForVersion&) {
    return ParsedExecOptions{std::nullopt, app.version() + "\n"};
  } catch (const CLI::ParseError& error) {
    return fail(std::string(error.what()) + "; see px-exec --help");
  }
  PX_TRY(check_values(app, options));
  options.program.assign(split, words.end());
  if (!options.program.empty() && options.program.front() == "--")
    options.program.erase(options.program.begin());
  if (options.program.empty()) return fail("which program? see px-exec --help");
  return ParsedExecOptions{std::move(options), {}};
}

}  // namespace px::cli
