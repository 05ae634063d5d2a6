// SPDX-License-Identifier: MIT
// From the name of a program to the file that the kernel will run for it: PATH as execvp(3) walks
// it, and the interpreters of scripts, `/usr/bin/env NAME` included. Reads the file system and the
// given PATH only; no state.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace px::cli {

// Why a program cannot be run at all, and the exit status that shells give for it.
struct NotRunnable {
  int status = 127;  // 127: not found; 126: found, and not executable
  std::string message;
};

template <typename Value>
using Runnable = tl::expected<Value, NotRunnable>;

// The file that execvp(3) would run for `name`. `path` is $PATH; null: not set.
[[nodiscard]] Runnable<std::string> find_program(const std::string& name, const char* path);

// The program that runs a file in the end.
struct Interpretation {
  std::string binary;               // the file itself, or the last interpreter
  bool clears_environment = false;  // by way of `env -i`: no LD_PRELOAD arrives
};

// Follows `#!` lines. A file that is neither ELF nor begins with `#!` is run by /bin/sh, as
// execvp(3) does.
[[nodiscard]] Runnable<Interpretation> follow_interpreters(const std::string& file,
                                                           const char* path);

// The words of a `#!` line in the first bytes of a file.
struct ScriptLine {
  std::string interpreter;  // empty: no script
  std::string argument;     // one at most: the rest of the line
};
[[nodiscard]] ScriptLine parse_script_line(std::string_view head);

// The program that `env ARGUMENT` would run, ARGUMENT being one `#!` argument; empty: none.
struct EnvCommand {
  std::string program;
  bool clears_environment = false;
};
[[nodiscard]] EnvCommand parse_env_argument(std::string_view argument);

}  // namespace px::cli
