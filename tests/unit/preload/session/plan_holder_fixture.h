// SPDX-License-Identifier: MIT
// A plan holder, the broker that it asks, and the directory where it looks for plans. One thread.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <filesystem>

#include "preload/session/plan_holder.h"
#include "tests/unit/preload/shim_fixture.h"

namespace px::shim {

using plan::Action;
using plan::Reason;

inline const plan::Entry kVpn = entry(3, "vpn0", "10.2.0.2");
inline const plan::Call kCall = call_to("198.51.100.1");

class PlanHolderTest : public testing::Test {
 protected:
  PlanHolderTest() {
    char directory[] = "/tmp/px-plan-holder-XXXXXX";
    directory_ = ::mkdtemp(directory);
    plan::fill_text(settings_.socket_path, (directory_ / "px.sock").native());
  }
  ~PlanHolderTest() override { std::filesystem::remove_all(directory_); }

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
  Settings settings_ = test_settings();
  TestBroker broker_;
  PlanHolder holder_{&TestBroker::answer};
};

}  // namespace px::shim
