// SPDX-License-Identifier: MIT
#include "cli/coverage/program.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <filesystem>
#include <optional>
#include <system_error>

#include "util/fd.h"

namespace px::cli {
namespace {

constexpr std::size_t kScriptLineSize = 256;  // BINPRM_BUF_SIZE
constexpr int kDeepestNesting = 5;            // as the kernel follows interpreters
constexpr char kBlank[] = " \t";

tl::unexpected<NotRunnable> not_runnable(const std::string& what, int error) {
  return tl::make_unexpected(NotRunnable{error == ENOENT ? 127 : 126,
                                         what + ": " + std::generic_category().message(error)});
}

// A carriage return at a line's end is a script's most common mistake, and shows nowhere.
std::string visible(const std::string& text) {
  std::string shown;
  for (const char c : text) {
    if (c == '\r') {
      shown += "\\r";
    } else {
      shown += c;
    }
  }
  return shown;
}

// 0, or the error that execve(2) would give for the file itself.
int execution_error(const std::string& file) {
  struct stat status {};
  if (stat(file.c_str(), &status) != 0) return errno;
  if (!S_ISREG(status.st_mode)) return EACCES;
  return faccessat(AT_FDCWD, file.c_str(), X_OK, AT_EACCESS) == 0 ? 0 : errno;
}

std::string default_path() {
  std::string path(confstr(_CS_PATH, nullptr, 0), '\0');
  confstr(_CS_PATH, path.data(), path.size());
  path.resize(std::strlen(path.c_str()));
  return path;
}

// Nothing where the file cannot be read.
std::optional<std::string> read_head(const std::string& file) {
  const Fd fd(open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  std::array<char, kScriptLineSize> head;
  const ssize_t count = fd ? read(fd.get(), head.data(), head.size()) : -1;
  if (count < 0) return std::nullopt;
  return std::string(head.data(), static_cast<std::size_t>(count));
}

std::deque<std::string> split_words(std::string_view text) {
  std::deque<std::string> words;
  while (true) {
    const auto begin = text.find_first_not_of(kBlank);
    if (begin == std::string_view::npos) return words;
    const auto end = std::min(text.find_first_of(kBlank, begin), text.size());
    words.emplace_back(text.substr(begin, end - begin));
    text.remove_prefix(end);
  }
}

// Takes one word of env's that begins with '-', and the words that belong to it, off `rest`. Text
// that is joined to -S goes back to `rest`. True where the word clears the environment.
bool take_env_option(const std::string& word, std::deque<std::string>& rest) {
  constexpr std::string_view kSplit = "--split-string=";
  if (word == "-" || word == "--ignore-environment") return true;
  if (word.starts_with(kSplit)) rest.push_front(word.substr(kSplit.size()));
  if (word.starts_with("--")) return false;
  bool clears = false;
  for (std::size_t i = 1; i < word.size(); ++i) {
    if (word[i] == 'i') clears = true;
    const bool takes_value = word[i] == 'u' || word[i] == 'C';
    if (takes_value && i + 1 == word.size() && !rest.empty()) rest.pop_front();
    if (word[i] == 'S' && i + 1 < word.size()) rest.push_front(word.substr(i + 1));
    if (takes_value || word[i] == 'S') break;
  }
  return clears;
}

}  // namespace

Runnable<std::string> find_program(const std::string& name, const char* path) {
  if (name.empty()) return not_runnable("''", ENOENT);
  if (name.find('/') != std::string::npos) {
    if (const int error = execution_error(name); error != 0) return not_runnable(name, error);
    return name;
  }
  const std::string directories = path != nullptr ? path : default_path();
  int reported = ENOENT;
  for (std::size_t begin = 0; begin <= directories.size();) {
    const auto end = std::min(directories.find(':', begin), directories.size());
    // An empty component means the working directory.
    const std::string directory = directories.substr(begin, end - begin);
    std::string file = directory.empty() ? "./" + name : directory + "/" + name;
    const int error = execution_error(file);
    if (error == 0) return file;
    // Where a directory may not be searched, nobody knows of the program: shells go on.
    if (error == EACCES && access(file.c_str(), F_OK) == 0) reported = EACCES;
    begin = end + 1;
  }
  return not_runnable(name, reported);
}

ScriptLine parse_script_line(std::string_view head) {
  if (!head.starts_with("#!")) return {};
  head.remove_prefix(2);
  const bool whole = head.find('\n') != std::string_view::npos;
  std::string_view line = head.substr(0, head.find('\n'));
  line = line.substr(0, line.find('\0'));
  const auto begin = line.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  line.remove_prefix(begin);
  const auto end = line.find_first_of(kBlank);
  // A name that fills the kernel's buffer may be cut: it is not run.
  if (end == std::string_view::npos && !whole && head.size() + 2 >= kScriptLineSize) return {};
  ScriptLine script{std::string(line.substr(0, end)), {}};
  if (end == std::string_view::npos) return script;
  line.remove_prefix(end);
  const auto argument = line.find_first_not_of(kBlank);
  if (argument == std::string_view::npos) return script;
  script.argument = line.substr(argument, line.find_last_not_of(kBlank) + 1 - argument);
  return script;
}

EnvCommand parse_env_argument(std::string_view argument) {
  if (!argument.starts_with('-')) return {std::string(argument), false};
  EnvCommand command;
  auto words = split_words(argument);
  while (!words.empty()) {
    const std::string word = words.front();
    words.pop_front();
    if (word.starts_with('-')) {
      if (take_env_option(word, words)) command.clears_environment = true;
    } else if (word.find('=') == std::string::npos) {
      command.program = word;
      break;
    }
  }
  return command;
}

Runnable<Interpretation> follow_interpreters(const std::string& file, const char* path) {
  Interpretation found{file, false};
  for (int depth = 0; depth <= kDeepestNesting; ++depth) {
    const auto head = read_head(found.binary);
    if (!head || head->starts_with("\177ELF")) return found;
    const ScriptLine script = parse_script_line(*head);
    const std::string interpreter = script.interpreter.empty() ? "/bin/sh" : script.interpreter;
    if (const int error = execution_error(interpreter); error != 0)
      return not_runnable(found.binary + ": its interpreter " + visible(interpreter), error);
    found.binary = interpreter;
    if (std::filesystem::path(interpreter).filename() != "env") continue;
    const EnvCommand command = parse_env_argument(script.argument);
    found.clears_environment = found.clears_environment || command.clears_environment;
    if (command.program.empty()) continue;
    auto program = find_program(command.program, path);
    if (!program) {
      program.error().message.insert(0, file + ": run by env: ");
      return tl::make_unexpected(program.error());
    }
    found.binary = *program;
  }
  return not_runnable(file, ELOOP);
}

}  // namespace px::cli
