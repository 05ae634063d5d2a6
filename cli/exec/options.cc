// SPDX-License-Identifier: MIT
#include "cli/exec/options.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "plan/wire.h"

// Parsed by hand. Every program that is started under px waits for this, and the general parser
// that pxctl has takes a tenth of a millisecond, with the streams and locales that come with it.
namespace px::cli {
namespace {

struct Option {
  std::string_view name;
  std::string_view takes;           // the kind of its value, for the help
  std::string ExecOptions::*value;  // null: it takes none
  std::array<std::string_view, 2> excludes;
  std::string_view help;
};

constexpr Option kOptions[] = {
    {"--profile",
     "NAME",
     &ExecOptions::profile,
     {"--via", "--rules"},
     "The policy's profile to run under (default: default-profile)"},
    {"--via",
     "WAY",
     &ExecOptions::via,
     {"--profile", "--rules"},
     "Send everything through this: a path of the policy, an entry's\nnumber, or an interface"},
    {"--rules",
     "FILE",
     &ExecOptions::rules,
     {"--profile", "--via"},
     "Run under the rules of this file"},
    {"--config",
     "FILE",
     &ExecOptions::config,
     {"--socket"},
     "Policy file to run a private broker on (default, where no broker\n"
     "runs: the user's, else /etc/px/px.yaml)"},
    {"--socket",
     "FILE",
     &ExecOptions::socket,
     {"--rules", "--config"},
     "The broker's socket (default: $PX_SOCKET, else the system's, else\nthe user's)"},
    {"--audit",
     "",
     nullptr,
     {},
     "Count every packet that the program sends, and end with status 1 if\n"
     "no rule explains one of them (needs root)"},
    {"--audit-report",
     "FILE",
     &ExecOptions::audit_report,
     {},
     "The same, and write what was found to this file, as JSON"},
    {"--allow-uncovered", "", nullptr, {}, "Run the program even where px cannot act in it"},
    {"--help", "", nullptr, {}, "Print this and exit"},
    {"--version", "", nullptr, {}, "Print the version and exit"},
};
constexpr std::string_view kAudit = "--audit";
constexpr std::string_view kAllowUncovered = "--allow-uncovered";
constexpr std::string_view kHelp = "--help";
constexpr std::string_view kVersion = "--version";

const Option* find_option(std::string_view name) {
  if (name == "-h") name = kHelp;
  const auto* found = std::find_if(std::begin(kOptions), std::end(kOptions),
                                   [name](const Option& option) { return option.name == name; });
  return found == std::end(kOptions) ? nullptr : found;
}

std::string help_text() {
  constexpr std::size_t kColumn = 21;
  std::string text =
      "Runs a program under a profile of px: its connections leave as the policy says.\n"
      "Usage: px-exec [OPTIONS] [--] PROGRAM [ARGUMENTS...]\n\nOptions:\n";
  const auto fill = [&text](std::size_t used) { text.append(kColumn - used, ' '); };
  for (const Option& option : kOptions) {
    std::string words = (option.name == kHelp ? "  -h," : "  ") + std::string(option.name);
    if (option.value != nullptr) words += " " + std::string(option.takes);
    text += words;
    fill(words.size());
    for (const char c : option.help) {
      text += c;
      if (c == '\n') fill(0);
    }
    text += '\n';
  }
  return text +
         "\nOwn failures end with status 125; 126: PROGRAM cannot be run; 127: it is not found.\n"
         "Else the status is the program's own. See px-exec(1).\n";
}

Expected<void> wrong(std::string message) {
  return fail(std::move(message) + "; see px-exec --help");
}

// What the words before the program say.
class Parser {
 public:
  explicit Parser(const std::vector<std::string>& words) : words_(words) {}

  Expected<ParsedExecOptions> parse() {
    while (place_ < words_.size() && words_[place_].starts_with('-') && words_[place_] != "--") {
      PX_TRY(take_option());
    }
    if (!answer_.empty()) return ParsedExecOptions{std::nullopt, answer_};
    PX_TRY(check());
    if (place_ < words_.size() && words_[place_] == "--") ++place_;
    options_.program.assign(words_.begin() + static_cast<std::ptrdiff_t>(place_), words_.end());
    options_.audit = options_.audit || !options_.audit_report.empty();
    if (options_.program.empty()) return fail("which program? see px-exec --help");
    return ParsedExecOptions{std::move(options_), {}};
  }

 private:
  Expected<void> take_option() {
    const std::string& word = words_[place_++];
    const std::size_t name_size = std::min(word.find('='), word.size());
    const Option* option = find_option(std::string_view(word).substr(0, name_size));
    if (option == nullptr) return wrong("there is no option " + word);
    const std::string name(option->name);
    const bool joined = name_size < word.size();
    if (option->value == nullptr) {
      if (joined) return wrong(name + " takes no value");
      take_flag(option->name);
      return {};
    }
    if (given(option->name)) return wrong(name + " is given twice");
    given_.push_back(option->name);
    std::string& value = options_.*option->value;
    if (joined) {
      value = word.substr(name_size + 1);
    } else if (place_ < words_.size() && find_option(words_[place_]) == nullptr) {
      value = words_[place_++];
    }
    // An option given as nothing would silently mean that it was not given.
    if (value.empty()) return wrong(name + " is given without a value");
    return {};
  }

  void take_flag(std::string_view name) {
    if (name == kAudit) options_.audit = true;
    if (name == kAllowUncovered) options_.allow_uncovered = true;
    if (name == kHelp) answer_ = help_text();
    if (name == kVersion && answer_.empty()) answer_ = "px-exec " PX_VERSION "\n";
  }

  [[nodiscard]] bool given(std::string_view name) const {
    return std::find(given_.begin(), given_.end(), name) != given_.end();
  }

  [[nodiscard]] Expected<void> check() const {
    for (const std::string_view name : given_) {
      for (const std::string_view other : find_option(name)->excludes) {
        if (!other.empty() && given(other))
          return wrong(std::string(name) + " excludes " + std::string(other));
      }
    }
    if (!options_.profile.empty() && !plan::valid_profile_name(options_.profile))
      return fail("'" + options_.profile + "' cannot be a profile's name");
    return {};
  }

  const std::vector<std::string>& words_;
  std::size_t place_ = 0;
  std::vector<std::string_view> given_;  // options that take values
  ExecOptions options_;
  std::string answer_;
};

}  // namespace

Expected<ParsedExecOptions> parse_exec_options(const std::vector<std::string>& words) {
  return Parser(words).parse();
}

}  // namespace px::cli
