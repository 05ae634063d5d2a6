// SPDX-License-Identifier: MIT
// The broker: owns every part, in the order in which they depend on each other, and connects them.
// Single-threaded; everything happens on its event loop.
#pragma once

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string_view>

#include "broker/control/reports.h"
#include "broker/daemon/options.h"
#include "broker/daemon/run_directory.h"
#include "broker/host/router_list.h"
#include "broker/host/watcher.h"
#include "broker/mptcp/subflows.h"
#include "broker/publish/publisher.h"
#include "broker/routing/member_egress.h"
#include "broker/routing/port_routes.h"
#include "broker/routing/routing.h"
#include "broker/sessions/server.h"
#include "broker/sessions/session_table.h"

namespace px::broker {

class Daemon {
 public:
  explicit Daemon(Options options);

  // Reads the policy, publishes it and listens; on an error nothing has been published or changed
  // for anyone.
  [[nodiscard]] Expected<void> start();
  // Serves until SIGTERM, SIGINT or, as a private broker, the end of its programs.
  void run();

 private:
  [[nodiscard]] Expected<void> start_parts();
  // What the parts tell the daemon.
  void paths_changed(const Snapshot& snapshot);
  void mend_next_hops();
  void retry_paths();
  void session_changed(const Session& session, SessionTable::Change change);
  tl::expected<Admission, Rejection> hello(Peer peer, const plan::Hello& hello, int executable);
  tl::expected<void, Rejection> launch(Peer peer, const plan::Launch& launch);
  tl::expected<void, Rejection> mark(const Peer& peer, const plan::Mark& mark, const Fd& socket);
  void outcome(const Peer& peer, const plan::HealthReport& outcome);
  tl::expected<void, Rejection> paths(const Peer& peer, const plan::ExtraPaths& paths,
                                      const Fd& socket);
  // Of an SCTP socket, to these members.
  tl::expected<void, Rejection> give_routes(uid_t user, const std::vector<MemberEgress>& members,
                                            const Fd& socket);
  Answer request(const Peer& peer, std::string_view text);

  [[nodiscard]] std::optional<Rejection> check_namespace(std::uint64_t network_namespace) const;
  [[nodiscard]] std::string no_such_profile(const std::string& profile) const;
  [[nodiscard]] std::optional<ProfileAssignment> ancestor_assignment_of(pid_t pid) const;
  // The profile for a program that says hello; nothing where it is to be refused.
  [[nodiscard]] std::optional<ProfileAssignment> assignment_of(const Peer& peer,
                                                               const Program& program,
                                                               const plan::Hello& hello) const;
  void match_anew();
  nlohmann::json move_program(const Peer& peer, const nlohmann::json& question);
  nlohmann::json answer_to(const Peer& peer, const nlohmann::json& question);
  nlohmann::json explain_to(const Peer& peer, const nlohmann::json& question) const;
  nlohmann::json reload();
  nlohmann::json change_routers(const nlohmann::json& question);
  // What plans and programs need of the kernel.
  [[nodiscard]] RoutingDemand demand(const Policy& policy, const Snapshot& snapshot) const;
  [[nodiscard]] Expected<void> renew_port_ways();
  [[nodiscard]] Expected<void> take_over_ports();
  // Whether there were any.
  bool forget_unused_ports();
  void watch_ports();
  // What plans need of the kernel, then the plans, then what no plan needs any more goes.
  [[nodiscard]] Expected<void> put_in_force(const Policy& policy, const Snapshot& snapshot);
  // The last two of these.
  [[nodiscard]] Expected<void> publish(const Policy& policy, const Snapshot& snapshot,
                                       const Marks& marks);
  void require_subflows(const Policy& policy);
  // Reads the paths now and publishes them if they have changed.
  [[nodiscard]] Expected<void> look_at_paths();
  // Serves at the service manager's socket, if it has one for this process.
  [[nodiscard]] Expected<void> take_passed_listener();
  [[nodiscard]] Expected<void> listen();
  void announce_ready();
  void handle_signals();
  void beat();
  void report_counters();
  void end_with_programs();

  Options options_;
  asio::io_context context_;
  std::optional<RunDirectory> run_directory_;
  BrokerState state_;
  Policy policy_;
  std::optional<RouterList> routers_;
  Watcher watcher_;
  Snapshot snapshot_;
  std::optional<Routing> routing_;
  std::optional<MptcpSubflows> subflows_;
  PortRoutes port_routes_;
  std::optional<Publisher> publisher_;
  SessionTable sessions_;
  Server server_;
  Fd passed_listener_;
  bool owns_socket_ = true;  // and removes it at the end
  asio::signal_set signals_;
  asio::steady_timer heartbeat_;
  asio::steady_timer counters_;
  asio::steady_timer retry_;
  asio::steady_timer unused_ports_;
  bool watches_ports_ = false;
  asio::steady_timer end_;
  std::optional<asio::posix::stream_descriptor> watched_program_;
  std::map<pid_t, Totals> reported_;
  std::uint64_t network_namespace_ = 0;
};

}  // namespace px::broker
