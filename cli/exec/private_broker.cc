// SPDX-License-Identifier: MIT
#include "cli/exec/private_broker.h"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <string_view>
#include <vector>

#include "cli/exec/detached.h"
#include "cli/locations.h"
#include "plan/wire.h"

extern char** environ;

namespace px::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kStartPatience{10};
constexpr std::string_view kReady = "ready\n";

Expected<std::string> make_private_directory() {
  const std::string runtime = environment("XDG_RUNTIME_DIR");
  for (const std::string& base : {runtime, std::string("/tmp")}) {
    if (!base.starts_with('/')) continue;
    std::string name = base + "/px-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) continue;
    // A program that root starts may become another user (apt's methods do), and must still say
    // hello.
    if (geteuid() == 0 && chmod(name.c_str(), 0711) != 0) continue;
    return name;
  }
  return fail_errno("cannot make a directory for a private broker in $XDG_RUNTIME_DIR or /tmp");
}

// This process's environment, without the variables that would put the broker itself under px.
std::vector<std::string> broker_environment() {
  std::vector<std::string> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view variable = *entry;
    const std::string_view name = variable.substr(0, variable.find('='));
    if (name != "LD_PRELOAD" && name != plan::kProfileVariable && name != plan::kSocketVariable)
      variables.emplace_back(variable);
  }
  return variables;
}

std::vector<std::string> broker_command(const PrivateBrokerRequest& request,
                                        const std::string& socket) {
  std::vector<std::string> words{request.program, "--private"};
  const auto add = [&words](const char* option, const std::string& value) {
    if (!value.empty()) words.insert(words.end(), {option, value});
  };
  add("--config", request.config);
  add("--via", request.via);
  add("--rules", request.rules);
  add("--socket", socket);
  add("--watch-pid", std::to_string(getpid()));
  add("--ready-fd", std::to_string(kReadyDescriptor));
  add("--log-level", "warning");
  return words;
}

// Appends the text that is ready; false at the end.
bool take(const Fd& from, std::string& text) {
  char piece[4096];
  const ssize_t count = read(from.get(), piece, sizeof piece);
  if (count > 0) text.append(piece, static_cast<std::size_t>(count));
  return count > 0 || (count < 0 && errno == EINTR);
}

Expected<void> wait_until_ready(const Detached& broker) {
  const auto deadline = Clock::now() + kStartPatience;
  std::string ready;
  std::string errors;
  pollfd ends[] = {{broker.ready.get(), POLLIN, 0}, {broker.errors.get(), POLLIN, 0}};
  // Both ends close when the broker ends; until then its standard error is kept.
  while (ends[0].fd >= 0 || ends[1].fd >= 0) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) return fail("the private broker is not ready after 10 seconds");
    if (poll(ends, 2, static_cast<int>(left.count())) < 0) continue;
    if (ends[0].revents != 0 && !take(broker.ready, ready)) ends[0].fd = -1;
    if (ready == kReady) return {};
    if (ends[1].revents != 0 && !take(broker.errors, errors)) ends[1].fd = -1;
  }
  while (errors.ends_with('\n')) errors.pop_back();
  return fail(errors.empty() ? "the private broker did not start" : errors);
}

}  // namespace

Expected<std::string> start_private_broker(const PrivateBrokerRequest& request) {
  PX_ASSIGN_OR_RETURN(const std::string directory, make_private_directory());
  std::string socket = directory + "/px.sock";
  auto broker = start_detached(broker_command(request, socket), broker_environment());
  auto ready = broker ? wait_until_ready(*broker) : tl::make_unexpected(broker.error());
  if (ready) return socket;
  // A broker that served removes its directory; this one may have ended before.
  std::error_code ignored;
  std::filesystem::remove_all(directory, ignored);
  return tl::make_unexpected(ready.error());
}

}  // namespace px::cli
