// SPDX-License-Identifier: MIT
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <csignal>
#include <cstdio>
#include <exception>

#include "broker/daemon/daemon.h"
#include "broker/daemon/options.h"
#include "broker/daemon/policy_check.h"

namespace {

int run(int argc, char** argv) {
  const auto parsed = px::broker::parse_options(argc, argv);
  if (!parsed.options) return parsed.exit_status;
  const auto& options = *parsed.options;
  if (options.check) return px::broker::check_policy(options);
  spdlog::set_default_logger(spdlog::stderr_color_mt("pxd"));
  spdlog::set_pattern("pxd: %^%l%$: %v");
  spdlog::set_level(spdlog::level::from_str(options.log_level));
  std::signal(SIGPIPE, SIG_IGN);
  px::broker::Daemon daemon(options);
  if (const auto started = daemon.start(); !started) {
    std::fprintf(stderr, "%s\n", started.error().message.c_str());
    return 1;
  }
  daemon.run();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "pxd: %s\n", error.what());
    return 1;
  }
}
