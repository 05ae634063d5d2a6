// SPDX-License-Identifier: MIT
// Puts a policy in force on the host as it is: at start, at a reload, and whenever the host has
// changed. First comes what the plans need of the kernel, then the plans, and then what no plan
// needs any more goes. After start, the one writer of InForce.
#pragma once

#include "broker/control/reports.h"
#include "broker/daemon/ad_hoc_profiles.h"
#include "broker/daemon/options.h"
#include "broker/publish/in_force.h"
#include "broker/services/policy_control.h"
#include "util/error.h"
#include "util/timer.h"

namespace px::broker {

class LinkNamesKeeper;
class Lookups;
class MetricsListener;
class MptcpSubflows;
class ProfileAssignments;
class RouterList;
class Routing;
class SessionTable;
class SctpPortRoutes;
class Watcher;

class Enforcement : public PolicyControl {
 public:
  struct Parts {
    const Options& options;
    Watcher& watcher;
    const RouterList& routers;
    Publisher& publisher;
    Routing& routing;
    MptcpSubflows& subflows;
    const SctpPortRoutes& port_routes;
    Lookups& lookups;
    LinkNamesKeeper& link_names;
    ProfileAssignments& assignments;
    SessionTable& sessions;
    MetricsListener& metrics;
    Server& server;
    InForce& in_force;
    BrokerState& state;
  };

  Enforcement(asio::io_context& context, const Parts& parts)
      : parts_(parts), retry_(context), unused_(context) {}

  // Puts in force what InForce says already. Once, before anything else.
  [[nodiscard]] Expected<void> begin();

  void host_changed(const Snapshot& snapshot);
  void link_names_changed(LinkNamesByInterface names);
  // Puts back what others took out of the kernel.
  void mend();
  void reload() override;
  [[nodiscard]] Expected<void> use_added_routers() override;
  [[nodiscard]] Expected<ProfileHold> hold_way(const std::string& way,
                                               const std::string& wanted) override;

 private:
  [[nodiscard]] Expected<void> put_in_force(const Policy& policy, const Snapshot& snapshot);
  [[nodiscard]] Expected<void> publish(const Policy& policy, const Snapshot& snapshot,
                                       const Marks& marks);
  void require_subflows(const Policy& policy);
  [[nodiscard]] Expected<void> look_at_host();
  [[nodiscard]] std::vector<std::string> reload_policy();
  // The policy has just been put in force: what nothing can fail of, and warnings, to the log and
  // to who asks for the outcome.
  void finish();
  void retry();
  // The policy, and the profiles beside it.
  [[nodiscard]] Policy with_ad_hoc_profiles(const Policy& policy);
  void forget_unused_ways();
  void look_for_unused_ways();

  Parts parts_;
  Policy policy_;  // as it was read
  AdHocProfiles ad_hoc_;
  bool looks_for_unused_ = false;
  Timer retry_;
  Timer unused_;
};

}  // namespace px::broker
