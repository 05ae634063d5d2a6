// SPDX-License-Identifier: MIT
// The session of a process, the broker that it asks, and the directory where it looks for plans.
// One thread.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <filesystem>

#include "tests/unit/preload/shim_session.h"

namespace px::shim {

using plan::Action;
using plan::Reason;

inline const plan::Entry kVpn = entry(3, "vpn0", "10.2.0.2");
inline const plan::Call kCall = call_to("198.51.100.1");

class SessionTest : public testing::Test {
 protected:
  SessionTest() {
    char directory[] = "/tmp/px-session-XXXXXX";
    directory_ = ::mkdtemp(directory);
    plan::fill_text(shim_.settings.socket_path, (directory_ / "px.sock").native());
  }
  ~SessionTest() override { std::filesystem::remove_all(directory_); }

  // The broker's plan as the file that programs find.
  void publish_file() {
    std::filesystem::create_directory(directory_ / plan::kPlanDirectory);
    std::filesystem::copy_file("/proc/self/fd/" + std::to_string(broker_.plan.fd()),
                               directory_ / plan::kPlanDirectory / "test.plan");
  }

  // Runs in a forked child; its exit status.
  template <typename Function>
  static int in_child(Function function) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(function());
    int status = -1;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  std::filesystem::path directory_;
  TestBroker broker_;
  ShimSession shim_;  // not started
};

}  // namespace px::shim
