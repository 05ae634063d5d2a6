// SPDX-License-Identifier: MIT
#include "broker/daemon/daemon.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <csignal>
#include <nlohmann/json.hpp>
#include <utility>

#include "broker/control/metrics.h"
#include "broker/daemon/policy_source.h"
#include "broker/daemon/process_limits.h"
#include "broker/identity/administrator.h"
#include "broker/identity/network_namespace.h"
#include "broker/link_names/read_link_names.h"
#include "broker/publish/instance.h"
#include "broker/services/planned_egress.h"
#include "ipc/listener.h"
#include "plan/second_socket.h"
#include "util/clock.h"
#ifdef PX_HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

namespace px::broker {
namespace {

constexpr std::chrono::seconds kLinkNamesPatience{2};

}  // namespace

Daemon::Daemon(Options options)
    : options_(std::move(options)),
      watcher_(
          context_, [this](const Snapshot& snapshot) { enforcement_->host_changed(snapshot); },
          [](const Error& error) {
            spdlog::error("the paths may be out of date: {}", error.message);
          },
          {.disturbed = [this] { enforcement_->mend(); }}),
      sessions_(
          context_, session_limits(raise_descriptor_limit()),
          [this](const Session& session, SessionTable::Change change) {
            session_changed(session, change);
          },
          counted_as()),
      descriptors_(context_),
      server_(context_, connection_limits(raise_descriptor_limit()), dispatcher_, descriptors_,
              counted_as()),
      events_(context_, sessions_, server_),
      errands_(context_, counted_as()),
      link_names_(context_, errands_,
                  {.changed =
                       [this](LinkNamesByInterface names) {
                         enforcement_->link_names_changed(std::move(names));
                       },
                   .failed = [](const Error& error) { spdlog::error("{}", error.message); },
                   .read = &read_link_names}),
      lookups_(context_, counted_as(), lookup_limits(raise_descriptor_limit())),
      metrics_(context_, kOpenMetricsType, [this] { return services_->control.metrics_text(); }),
      signals_(context_, SIGTERM, SIGINT, SIGHUP) {
  state_.instance = new_instance();
  state_.started = std::chrono::system_clock::now();
  state_.socket = options_.socket.string();
}

CountedAs Daemon::counted_as() {
  return [this](uid_t user) { return subordinate_ids_.owner_of(user); };
}

Expected<void> Daemon::start() {
  auto started = start_parts();
  if (!started && subflows_) (void)subflows_->require(false);
  return started;
}

Expected<void> Daemon::start_parts() {
  PX_TRY(take_passed_listener());
  PX_TRY(read_host_and_policy());
  PX_TRY(open_parts());
  PX_TRY(enforcement_->begin());
  connect_services();
  descriptors_.begin();
  wait_for_link_names();
  PX_TRY(listen());
  publisher_->announce(state_.instance);
  handle_signals();
  heartbeat_->start();
  events_.start();
  PX_TRY(watch_programs());
  announce_ready();
  spdlog::info("serving {} profiles at {}", in_force_.policy.profiles.size(), state_.socket);
  return {};
}

Expected<void> Daemon::take_passed_listener() {
  PX_ASSIGN_OR_RETURN(auto passed, ipc::passed_listener());
  if (!passed) return {};
  const auto& path = passed->path;
  std::error_code error;
  if (options_.socket_named && std::filesystem::absolute(options_.socket, error) != path) {
    return fail("the service manager listens at " + path.string() + ", but --socket says " +
                options_.socket.string());
  }
  options_.socket = path;
  state_.socket = path.string();
  passed_listener_ = std::move(passed->socket);
  owns_socket_ = false;
  return {};
}

Expected<void> Daemon::read_host_and_policy() {
  PX_ASSIGN_OR_RETURN(routers_, RouterList::open(options_.state_directory / kRoutersName));
  watcher_.set_added_routers(routers_->all());
  PX_ASSIGN_OR_RETURN(in_force_.snapshot, watcher_.start());
  auto policy = read_policy(options_, in_force_.snapshot);
  if (!policy) return fail(joined(texts_of(policy.error())));
  in_force_.policy = std::move(*policy);
  state_.policy_generation = 1;
  state_.last_reload = {state_.started, {}, {}};
  return {};
}

Expected<void> Daemon::open_parts() {
  PX_ASSIGN_OR_RETURN(run_directory_, RunDirectory::acquire(options_.socket.parent_path()));
  PX_ASSIGN_OR_RETURN(publisher_, Publisher::open(run_directory_->path()));
  publisher_->beat(monotonic_ms());
  heartbeat_.emplace(context_, *publisher_);
  const bool system = !options_.private_broker;
  PX_ASSIGN_OR_RETURN(routing_, Routing::open(run_directory_->path(), system));
  subflows_.emplace(context_, MptcpPathManager(run_directory_->path(), system),
                    [this](const std::string& profile, const bundle::Endpoint& member) {
                      const PlanFile* plan = publisher_->find(profile);
                      return plan == nullptr ? std::nullopt : planned_egress(plan->plan(), member);
                    });
  port_routes_.emplace(
      context_, in_force_, *routing_, SctpPortOptions{.failed = [](const Error& error) {
        spdlog::error("routing rules of SCTP ports that are not in use are left: {}",
                      error.message);
      }});
  PX_ASSIGN_OR_RETURN(const auto ports_left, routing_->ports_left());
  port_routes_->take_over(ports_left);
  assignments_.emplace(in_force_.policy, sessions_, *publisher_);
  enforcement_.emplace(
      context_, Enforcement::Parts{options_, watcher_, *routers_, *publisher_, *routing_,
                                   *subflows_, *port_routes_, lookups_, link_names_, *assignments_,
                                   sessions_, metrics_, server_, in_force_, state_});
  return {};
}

void Daemon::connect_services() {
  const NetworkNamespace here = NetworkNamespace::own();
  services_.emplace(Services{
      ProgramService(
          {in_force_.policy, *publisher_, sessions_, *assignments_, here, state_.instance}),
      MarkService({*publisher_, sessions_, *routing_, here}),
      ExtraPathsService({*publisher_, sessions_, *routing_, *subflows_, *port_routes_, here}),
      HealthService(*publisher_, here), NamesService({sessions_, lookups_}),
      ControlService({state_, in_force_, *publisher_, *subflows_, sessions_, server_, *routing_,
                      *routers_, *assignments_, events_, *enforcement_, errands_, lookups_,
                      here})});
  services_->program.register_with(dispatcher_);
  services_->mark.register_with(dispatcher_);
  services_->extra_paths.register_with(dispatcher_);
  services_->health.register_with(dispatcher_);
  services_->names.register_with(dispatcher_);
  services_->control.register_with(dispatcher_);
}

void Daemon::wait_for_link_names() {
  const auto until = std::chrono::steady_clock::now() + kLinkNamesPatience;
  while (link_names_.has_begun() && !link_names_.has_looked() && !context_.stopped()) {
    if (context_.run_one_until(until) == 0) break;
  }
}

Expected<void> Daemon::listen() {
  if (owns_socket_) PX_TRY(server_.listen(options_.socket));
  if (!owns_socket_) server_.listen(std::move(passed_listener_));
  const auto name = plan::second_socket_name(state_.instance);
  auto second = ipc::listen_at_abstract({name.data(), name.size()});
  if (!second) {
    spdlog::warn("programs cannot reach the broker after chroot: {}", second.error().message);
    return {};
  }
  const bool for_all = ipc::is_reachable_for_all(options_.socket.parent_path());
  server_.listen_beside(std::move(*second), [this, for_all](const Peer& peer) {
    return for_all || is_administrator(peer.uid) || sessions_.find_connected(peer.pid) != nullptr;
  });
  return {};
}

Expected<void> Daemon::watch_programs() {
  if (options_.watch_pid == 0) return {};
  programs_end_.emplace(context_, sessions_, *run_directory_, state_.socket,
                        [this] { context_.stop(); });
  return programs_end_->watch(options_.watch_pid);
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

void Daemon::run() {
  for (;;) {
    try {
      context_.run();
      break;
    } catch (const std::exception& error) {
      // Whatever one event brought, all others are still served.
      spdlog::error("an event was dropped: {}", error.what());
    }
  }
  clean_up();
}

// The plans stay for the programs that run under them, and for the next broker. A private broker's
// programs have ended.
void Daemon::clean_up() {
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

void Daemon::handle_signals() {
  signals_.async_wait([this](const std::error_code& error, int signal) {
    if (error) return;
    if (signal != SIGHUP) {
      context_.stop();
      return;
    }
    enforcement_->reload();
    spdlog::info("SIGHUP: {}", json_text(reload_report(state_, in_force_.policy)));
    handle_signals();
  });
}

void Daemon::session_changed(const Session& session, SessionTable::Change change) {
  if (change == SessionTable::Change::kStarted) {
    events_.started(session);
  } else {
    events_.ended(session);
  }
}

}  // namespace px::broker
