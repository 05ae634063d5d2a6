// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <exception>

#include "cli/exec/launcher.h"
#include "cli/exec/options.h"

namespace {

// px-exec may be started without some standard descriptors. None of its own is to get their
// numbers; close-on-exec, so that the program is started without them, too.
void reserve_standard_descriptors() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR | O_CLOEXEC) < 0) return;
  }
}

int run(int argc, char** argv) {
  reserve_standard_descriptors();
  const auto parsed = px::cli::parse_exec_options({argv + (argc > 0 ? 1 : 0), argv + argc});
  if (!parsed) {
    std::fprintf(stderr, "px-exec: %s\n", parsed.error().message.c_str());
    return px::cli::kOwnFailure;
  }
  if (parsed->options) return px::cli::launch_program(*parsed->options);
  if (std::fputs(parsed->answer.c_str(), stdout) >= 0 && std::fflush(stdout) == 0) return 0;
  std::perror("px-exec: standard output");
  return px::cli::kOwnFailure;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "px-exec: %s\n", error.what());
    return px::cli::kOwnFailure;
  }
}
