// SPDX-License-Identifier: MIT
// The broker: makes every part, in the order in which they depend on each other, and connects them.
// Single-threaded; everything happens on its event loop.
#pragma once

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <optional>

#include "broker/control/errands.h"
#include "broker/control/reports.h"
#include "broker/daemon/enforcement.h"
#include "broker/daemon/options.h"
#include "broker/daemon/programs_end.h"
#include "broker/daemon/run_directory.h"
#include "broker/host/router_list.h"
#include "broker/host/watcher.h"
#include "broker/identity/subordinate_ids.h"
#include "broker/link_names/link_names_keeper.h"
#include "broker/mptcp/subflows.h"
#include "broker/names/lookups.h"
#include "broker/publish/heartbeat.h"
#include "broker/publish/in_force.h"
#include "broker/publish/publisher.h"
#include "broker/routing/routing.h"
#include "broker/services/control_service.h"
#include "broker/services/extra_paths_service.h"
#include "broker/services/health_service.h"
#include "broker/services/mark_service.h"
#include "broker/services/metrics_listener.h"
#include "broker/services/names_service.h"
#include "broker/services/program_service.h"
#include "broker/services/sctp_port_routes.h"
#include "broker/services/session_events.h"
#include "broker/sessions/dispatcher.h"
#include "broker/sessions/profile_assignments.h"
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
  // Steps of start(), in order.
  [[nodiscard]] Expected<void> start_parts();
  [[nodiscard]] Expected<void> take_passed_listener();
  [[nodiscard]] Expected<void> read_host_and_policy();
  [[nodiscard]] Expected<void> open_parts();
  void connect_services();
  // The first programs are not to find the servers of links unknown.
  void wait_for_link_names();
  [[nodiscard]] Expected<void> listen();
  [[nodiscard]] Expected<void> watch_programs();
  void announce_ready();

  void handle_signals();
  void session_changed(const Session& session, SessionTable::Change change);
  void clean_up();
  [[nodiscard]] CountedAs counted_as();

  struct Services {
    ProgramService program;
    MarkService mark;
    ExtraPathsService extra_paths;
    HealthService health;
    NamesService names;
    ControlService control;
  };

  Options options_;
  asio::io_context context_;
  BrokerState state_;
  InForce in_force_;
  Watcher watcher_;
  SubordinateIds subordinate_ids_;
  SessionTable sessions_;
  Dispatcher dispatcher_;
  Descriptors descriptors_;
  Server server_;
  SessionEvents events_;
  Errands errands_;
  LinkNamesKeeper link_names_;
  Lookups lookups_;
  MetricsListener metrics_;
  asio::signal_set signals_;
  Fd passed_listener_;
  bool owns_socket_ = true;  // and removes it at the end
  // What start() opens.
  std::optional<RouterList> routers_;
  std::optional<RunDirectory> run_directory_;
  std::optional<Publisher> publisher_;
  std::optional<Heartbeat> heartbeat_;
  std::optional<Routing> routing_;
  std::optional<MptcpSubflows> subflows_;
  std::optional<SctpPortRoutes> port_routes_;
  std::optional<ProfileAssignments> assignments_;
  std::optional<Enforcement> enforcement_;
  std::optional<Services> services_;
  std::optional<ProgramsEnd> programs_end_;
};

}  // namespace px::broker
