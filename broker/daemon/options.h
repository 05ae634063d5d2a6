// SPDX-License-Identifier: MIT
// pxd's command line (pxd(8)). Read once, at start.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>

namespace px::broker {

// The added routers, in the state directory.
inline constexpr char kRoutersName[] = "routers";

struct Options {
  std::filesystem::path config;  // empty: none (a private broker without a policy file)
  std::filesystem::path socket;
  std::filesystem::path state_directory;  // what outlives the broker, and restarts of the host
  bool socket_named = false;              // on the command line
  bool check = false;
  bool json = false;
  bool private_broker = false;
  std::string via;    // private: one path, entry number or interface for everything
  std::string rules;  // private: a file of rules
  pid_t watch_pid = 0;
  int ready_fd = -1;
  std::string log_level = "info";
};

// The options, defaults filled in; or the exit status where --help, --version or a mistake has
// been answered on the terminal already.
struct ParsedOptions {
  std::optional<Options> options;
  int exit_status = 0;
};
[[nodiscard]] ParsedOptions parse_options(int argc, char** argv);

}  // namespace px::broker
