// SPDX-License-Identifier: MIT
#include "broker/daemon/daemon.h"

#include <spdlog/spdlog.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <nlohmann/json.hpp>

#include "broker/daemon/extra_paths.h"
#include "broker/daemon/host.h"
#include "broker/daemon/policy_source.h"
#include "broker/publish/routing_needs.h"
#include "ipc/listener.h"
#include "util/clock.h"
#ifdef PX_HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

namespace px::broker {
namespace {

using namespace std::chrono_literals;

constexpr char kRoutersName[] = "routers";
constexpr auto kCountersInterval = 1s;
constexpr auto kRetryInterval = 1s;
constexpr auto kEndInterval = 500ms;
constexpr std::size_t kConnectionsPerUser = 1024;
constexpr std::size_t kSessionsPerUser = 4096;

// A connection takes two descriptors, a session one; a quarter is left for everything else. It
// takes more than a few users to fill what there is for all.
Server::Limits connection_limits(std::size_t descriptors) {
  const std::size_t in_all = descriptors / 8;
  return {std::min(kConnectionsPerUser, in_all / 8), in_all};
}

SessionTable::Limits session_limits(std::size_t descriptors) {
  const std::size_t in_all = descriptors / 2;
  return {std::min(kSessionsPerUser, in_all), in_all};
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += (text.empty() ? "" : "\n") + line;
  return text;
}

}  // namespace

Daemon::Daemon(Options options)
    : options_(std::move(options)),
      watcher_(
          context_, [this](const Snapshot& snapshot) { paths_changed(snapshot); },
          [](const Error& error) {
            spdlog::error("the paths may be out of date: {}", error.message);
          },
          {.disturbed = [this] { mend_next_hops(); }}),
      sessions_(context_, session_limits(raise_descriptor_limit()),
                [this](const Session& session, SessionTable::Change change) {
                  session_changed(session, change);
                }),
      server_(
          context_, connection_limits(raise_descriptor_limit()),
          Service{new_instance(),
                  [this](Peer peer, const plan::Hello& message, int executable) {
                    return hello(std::move(peer), message, executable);
                  },
                  [this](Peer peer, const plan::Launch& message) {
                    return launch(std::move(peer), message);
                  },
                  [this](const Peer& peer, const plan::Mark& message, const Fd& socket) {
                    return mark(peer, message, socket);
                  },
                  [this](const Peer& peer, const plan::HealthReport& message) {
                    outcome(peer, message);
                  },
                  [this](const Peer& peer, const plan::ExtraPaths& message, const Fd& socket) {
                    return paths(peer, message, socket);
                  },
                  [this](const Peer& peer, std::string_view text) { return request(peer, text); }}),
      signals_(context_, SIGTERM, SIGINT, SIGHUP),
      heartbeat_(context_),
      counters_(context_),
      retry_(context_),
      unused_ports_(context_),
      end_(context_),
      network_namespace_(network_namespace_cookie()) {
  state_.instance = server_.instance();
  state_.started = std::chrono::system_clock::now();
  state_.socket = options_.socket.string();
}

Expected<void> Daemon::take_passed_listener() {
  auto passed = ipc::passed_listener();
  if (!passed) return tl::make_unexpected(passed.error());
  if (!*passed) return {};
  const auto& path = (*passed)->path;
  if (options_.socket_named && std::filesystem::absolute(options_.socket) != path) {
    return fail("the service manager listens at " + path.string() + ", but --socket says " +
                options_.socket.string());
  }
  options_.socket = path;
  state_.socket = path.string();
  passed_listener_ = std::move((*passed)->socket);
  owns_socket_ = false;
  return {};
}

Expected<void> Daemon::listen() {
  if (owns_socket_) return server_.listen(options_.socket);
  server_.listen(std::move(passed_listener_));
  return {};
}

Expected<void> Daemon::start() {
  auto started = start_parts();
  if (!started && subflows_) (void)subflows_->require(false);
  return started;
}

Expected<void> Daemon::start_parts() {
  if (auto taken = take_passed_listener(); !taken) return taken;
  auto routers = RouterList::open(options_.state_directory / kRoutersName);
  if (!routers) return tl::make_unexpected(routers.error());
  routers_ = std::move(*routers);
  watcher_.set_added_routers(routers_->all());
  auto snapshot = watcher_.start();
  if (!snapshot) return tl::make_unexpected(snapshot.error());
  snapshot_ = std::move(*snapshot);
  auto policy = read_policy(options_, snapshot_);
  if (!policy) return fail(joined(texts_of(policy.error())));
  policy_ = std::move(*policy);
  state_.policy_generation = 1;
  state_.last_reload = {state_.started, {}};

  auto directory = RunDirectory::acquire(options_.socket.parent_path());
  if (!directory) return tl::make_unexpected(directory.error());
  run_directory_ = std::move(*directory);
  auto publisher = Publisher::open(run_directory_->path());
  if (!publisher) return tl::make_unexpected(publisher.error());
  publisher_ = std::move(*publisher);
  publisher_->beat(monotonic_ms());
  auto routing = Routing::open(run_directory_->path(), !options_.private_broker);
  if (!routing) return tl::make_unexpected(routing.error());
  routing_ = std::move(*routing);
  subflows_.emplace(context_, MptcpPathManager(run_directory_->path(), !options_.private_broker),
                    [this](const std::string& profile, const bundle::Endpoint& member) {
                      const PlanFile* plan = publisher_->find(profile);
                      return plan == nullptr ? std::nullopt : egress_of(plan->plan(), member);
                    });
  if (auto taken = take_over_ports(); !taken) return taken;
  if (auto published = put_in_force(policy_, snapshot_); !published) return published;
  if (auto listening = listen(); !listening) return listening;
  publisher_->announce(state_.instance);

  handle_signals();
  beat();
  report_counters();
  if (options_.watch_pid != 0) {
    const int process = static_cast<int>(syscall(SYS_pidfd_open, options_.watch_pid, 0));
    if (process < 0) return fail_errno("process " + std::to_string(options_.watch_pid));
    watched_program_.emplace(context_, process);
    watched_program_->async_wait(asio::posix::stream_descriptor::wait_read,
                                 [this](const std::error_code&) { end_with_programs(); });
  }
  announce_ready();
  spdlog::info("serving {} profiles at {}", policy_.profiles.size(), state_.socket);
  return {};
}

void Daemon::run() {
  for (;;) {
    try {
      context_.run();
      break;
    } catch (const std::exception& error) {
      // Whatever one event brought, everyone else's broker goes on.
      spdlog::error("an event was dropped: {}", error.what());
    }
  }
  // The plans stay for the programs that run under them, and for the next broker; a private
  // broker's programs have ended.
  std::error_code ignored;
  if (owns_socket_) std::filesystem::remove(options_.socket, ignored);
  if (const auto given_back = subflows_->require(false); !given_back) {
    spdlog::error("MPTCP's path manager is left as it is: {}", given_back.error().message);
  }
  if (const auto removed = routing_->remove_all(); !removed) {
    spdlog::error("not all next hops could be removed: {}", removed.error().message);
  }
  if (!options_.private_broker) return;
  std::filesystem::remove(options_.state_directory / kRoutersName, ignored);
  run_directory_->remove();
}

void Daemon::announce_ready() {
  if (options_.ready_fd >= 0) {
    Fd ready(options_.ready_fd);
    if (write(ready.get(), "ready\n", 6) != 6) spdlog::warn("nobody waits at the ready fd");
  }
#ifdef PX_HAVE_SYSTEMD
  sd_notify(0, "READY=1");
#endif
}

void Daemon::handle_signals() {
  signals_.async_wait([this](const std::error_code& error, int signal) {
    if (error) return;
    if (signal != SIGHUP) {
      context_.stop();
      return;
    }
    const auto outcome = reload();
    spdlog::info("SIGHUP: {}", json_text(outcome));
    handle_signals();
  });
}

void Daemon::beat() {
  publisher_->beat(monotonic_ms());
  heartbeat_.expires_after(std::chrono::milliseconds(plan::kHeartbeatIntervalMs));
  heartbeat_.async_wait([this](const std::error_code& error) {
    if (!error) beat();
  });
}

void Daemon::report_counters() {
  if (server_.watched()) {
    for (const Session* session : sessions_.all()) {
      const Totals totals = session->totals();
      if (reported_[session->pid] == totals) continue;
      reported_[session->pid] = totals;
      server_.broadcast(json_text(counters_event(*session, totals)), session->uid);
    }
  }
  counters_.expires_after(kCountersInterval);
  counters_.async_wait([this](const std::error_code& error) {
    if (!error) report_counters();
  });
}

void Daemon::end_with_programs() {
  if (sessions_.size() == 0 && !run_directory_->plans_in_use()) {
    context_.stop();
    return;
  }
  end_.expires_after(kEndInterval);
  end_.async_wait([this](const std::error_code& error) {
    if (!error) end_with_programs();
  });
}

Expected<void> Daemon::put_in_force(const Policy& policy, const Snapshot& snapshot) {
  const auto marks = routing_->prepare(demand(policy, snapshot), policy.mark_mask);
  if (!marks) {
    const auto without = texts_of(without_marks(policy, snapshot, marks.error().message));
    if (!without.empty()) return fail(joined(without));
    // Only for routers that the host does not have now.
    return publish(policy, snapshot, routing_->marks());
  }
  return publish(policy, snapshot, *marks);
}

Expected<void> Daemon::publish(const Policy& policy, const Snapshot& snapshot, const Marks& marks) {
  if (auto published = publisher_->publish(policy, snapshot, marks); !published) {
    routing_->abandon();
    return published;
  }
  if (const auto retired = routing_->retire(); !retired) {
    spdlog::error("routing rules that are not wanted any more are left: {}",
                  retired.error().message);
  }
  require_subflows(policy);
  subflows_->plans_changed();
  return {};
}

// A connection without further subflows is a connection all the same.
void Daemon::require_subflows(const Policy& policy) {
  const bool could = subflows_->state().has_value();
  const auto state = subflows_->require(policy.wants_subflows());
  if (!state && could) {
    spdlog::warn("MPTCP connections have one path each: {}", state.error().message);
  }
}

void Daemon::mend_next_hops() {
  if (const auto mended = routing_->mend(); !mended) {
    spdlog::error("next hops that were taken away are not back: {}", mended.error().message);
  }
}

void Daemon::paths_changed(const Snapshot& snapshot) {
  auto marks = routing_->prepare(demand(policy_, snapshot), policy_.mark_mask);
  const bool prepared = marks.has_value();
  if (!prepared) {
    spdlog::error("next hops cannot be had now: {}", marks.error().message);
    marks = routing_->marks();  // what has none is not available
  }
  if (auto published = publish(policy_, snapshot, *marks); !published) {
    spdlog::error("the changed paths are not in force yet: {}", published.error().message);
    retry_paths();
    return;
  }
  // Another network, another answer.
  if (!(snapshot.entries == snapshot_.entries)) publisher_->forget_health();
  snapshot_ = snapshot;
  server_.broadcast(json_text(paths_event(snapshot_)), std::nullopt);
  // Without the privilege it would be in vain.
  if (!prepared && routing_->available()) retry_paths();
}

void Daemon::retry_paths() {
  retry_.expires_after(kRetryInterval);
  retry_.async_wait([this](const std::error_code& error) {
    if (error) return;
    const auto snapshot = watcher_.refresh();
    if (snapshot) return paths_changed(*snapshot);
    spdlog::error("{}", snapshot.error().message);
    retry_paths();
  });
}

Expected<void> Daemon::look_at_paths() {
  auto snapshot = watcher_.refresh();
  if (!snapshot) return tl::make_unexpected(snapshot.error());
  if (!(*snapshot == snapshot_)) paths_changed(*snapshot);
  return {};
}

void Daemon::session_changed(const Session& session, SessionTable::Change change) {
  const bool started = change == SessionTable::Change::kStarted;
  if (!started) reported_.erase(session.pid);
  server_.broadcast(json_text(session_event(started ? "started" : "ended", session)), session.uid);
}

nlohmann::json Daemon::reload() {
  ReloadOutcome outcome{std::chrono::system_clock::now(), {}};
  const auto looked = look_at_paths();
  auto policy = read_policy(options_, snapshot_);
  if (!policy) {
    outcome.errors = texts_of(policy.error());
  } else if (!looked) {
    outcome.errors = {looked.error().message};
  } else if (auto published = put_in_force(*policy, snapshot_); !published) {
    outcome.errors = {published.error().message};
  } else {
    policy_ = std::move(*policy);
    ++state_.policy_generation;
    publisher_->forget_health();
    match_anew();
  }
  state_.last_reload = outcome;
  server_.broadcast(json_text(reload_event(state_)), std::nullopt);
  if (!outcome.errors.empty()) {
    spdlog::error("reload refused, the policy stays as it was:\n{}", joined(outcome.errors));
    return {{"ok", false}, {"errors", outcome.errors}};
  }
  spdlog::info("reloaded: generation {}", state_.policy_generation);
  return {{"ok", true},
          {"generation", state_.policy_generation},
          {"profiles", policy_.profiles.size()}};
}

}  // namespace px::broker
