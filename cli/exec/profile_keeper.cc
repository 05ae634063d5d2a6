// SPDX-License-Identifier: MIT
#include "cli/exec/profile_keeper.h"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "cli/exec/detached.h"
#include "plan/wire.h"
#include "util/process_environment.h"

namespace px::cli {
namespace {

using nlohmann::json;

constexpr int kRetryMs = 500;

// The profile's name; nothing where the broker serves another network namespace. `wanted`: the name
// that it had; empty: none.
Expected<std::optional<std::string>> ask_for(Client& client, const std::string& way,
                                             const std::string& wanted) {
  PX_ASSIGN_OR_RETURN(const json reply,
                      client.ask({{"command", "via"},
                                  {"way", way},
                                  {"profile", wanted},
                                  {"network_namespace", client.network_namespace()}}));
  if (reply.value("other_namespace", false)) return std::nullopt;
  if (reply.contains("error")) return fail("--via: " + reply.value("error", ""));
  return reply.value("profile", "");
}

// What /proc shows of this process's environment: other keepers would take it for a program.
void clear_environment() {
  for (char** entry = environ; *entry != nullptr; ++entry) std::memset(*entry, 0, strlen(*entry));
}

class Keeper {
 public:
  Keeper(HeldProfile& profile, std::string way, Fd program)
      : profile_(profile),
        way_(std::move(way)),
        program_(std::move(program)),
        started_({std::string(plan::kSocketVariable) + "=" + profile.connection.path(),
                  std::string(plan::kProfileVariable) + "=" + profile.name}) {}

  [[nodiscard]] std::array<int, 2> descriptors() const {
    return {program_.get(), profile_.connection.descriptor()};
  }

  void keep() {
    for (int timeout = -1;;) {
      wait(held_ ? timeout : kRetryMs);
      if (program_) continue;
      const auto again = started_.look();
      if (!again) return;
      timeout = static_cast<int>(again->count());
    }
  }

 private:
  // For the program's end or the broker's, or for `timeout` milliseconds; -1: for ever.
  void wait(int timeout) {
    pollfd ends[] = {{program_.get(), POLLIN, 0},
                     {held_ ? profile_.connection.descriptor() : -1, POLLIN, 0}};
    if (poll(ends, 2, timeout) < 0) return;
    if (ends[0].revents != 0) program_.reset();
    if (ends[1].revents != 0) held_ = false;
    if (!held_) hold_again();
  }

  void hold_again() {
    auto client = Client::connect(profile_.connection.path());
    if (!client) return;
    const auto name = ask_for(*client, way_, profile_.name);
    if (!name || *name != profile_.name) return;
    profile_.connection = std::move(*client);
    held_ = true;
  }

  HeldProfile& profile_;
  std::string way_;
  Fd program_;  // a pidfd, until it has ended
  StartedProcesses started_;
  bool held_ = true;
};

}  // namespace

Expected<std::optional<HeldProfile>> hold_profile(const SocketSearch& search,
                                                  const std::string& way) {
  auto client = Client::connect_first(search);
  if (!client && search.by_option) return tl::make_unexpected(client.error());
  if (!client) return std::nullopt;
  PX_ASSIGN_OR_RETURN(auto name, ask_for(*client, way, {}));
  if (!name) return std::nullopt;
  return HeldProfile{std::move(*client), std::move(*name)};
}

Expected<void> keep_profile(HeldProfile& profile, const std::string& way) {
  Fd program(static_cast<int>(syscall(SYS_pidfd_open, getpid(), 0)));
  if (!program) return fail_errno("cannot watch the program");
  Keeper keeper(profile, way, std::move(program));
  return run_detached(keeper.descriptors(), [&keeper] {
    clear_environment();
    keeper.keep();
  });
}

}  // namespace px::cli
