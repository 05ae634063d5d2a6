// SPDX-License-Identifier: MIT
// Policies that need nothing of the kernel, on the host as it is.
#include "broker/daemon/enforcement.h"

#include <gmock/gmock.h>

#include <asio/io_context.hpp>
#include <fstream>

#include "broker/host/router_list.h"
#include "broker/host/watcher.h"
#include "broker/link_names/link_names_keeper.h"
#include "broker/mptcp/subflows.h"
#include "broker/names/lookups.h"
#include "broker/publish/publisher.h"
#include "broker/routing/routing.h"
#include "broker/services/metrics_listener.h"
#include "broker/services/sctp_port_routes.h"
#include "broker/sessions/profile_assignments.h"
#include "broker/sessions/server.h"
#include "broker/sessions/session_table.h"
#include "tests/unit/support/temporary_files.h"

namespace px::broker {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class EnforcementTest : public testing::Test {
 protected:
  EnforcementTest() {
    options_.config = directory_ / "px.yaml";
    in_force_.policy = *parse_policy("version: 1\nprofiles: { work: }\n", "px.yaml");
    auto snapshot = watcher_.start();
    EXPECT_TRUE(snapshot);
    in_force_.snapshot = *snapshot;
    EXPECT_TRUE(enforcement_.begin());
    state_.policy_generation = 1;
  }

  void reload(const std::string& text) {
    std::ofstream(options_.config) << "version: 1\n" << text;
    enforcement_.reload();
  }
  const std::vector<std::string>& errors() const { return state_.last_reload.errors; }

  TemporaryFiles files_;
  const std::filesystem::path& directory_ = files_.directory();
  Options options_;
  asio::io_context context_;
  BrokerState state_;
  InForce in_force_;
  Dispatcher dispatcher_;
  Descriptors descriptors_{context_};
  Server server_{context_, {10, 10}, dispatcher_, descriptors_};
  SessionTable sessions_{context_, {10, 10}, [](const Session&, SessionTable::Change) {}};
  Watcher watcher_{context_, [](const Snapshot&) {}};
  RouterList routers_ = *RouterList::open(directory_ / "routers");
  Publisher publisher_ = *Publisher::open(directory_);
  Routing routing_ = *Routing::open(directory_, false);
  MptcpSubflows subflows_{context_, MptcpPathManager(directory_, false),
                          [](const std::string&, const bundle::Endpoint&) { return std::nullopt; }};
  SctpPortRoutes port_routes_{context_, in_force_, routing_};
  Lookups lookups_{context_};
  Errands errands_{context_};
  LinkNamesKeeper link_names_{
      context_, errands_, {.changed = {}, .failed = {}, .read = {}, .root = directory_}};
  ProfileAssignments assignments_{in_force_.policy, sessions_, publisher_};
  MetricsListener metrics_{context_, "text/plain", [] { return std::string("text"); }};
  Enforcement enforcement_{
      context_,
      {options_, watcher_, routers_, publisher_, routing_, subflows_, port_routes_, lookups_,
       link_names_, assignments_, sessions_, metrics_, server_, in_force_, state_}};
};

TEST_F(EnforcementTest, AReloadPutsThePolicyInForceAsItIsWrittenNow) {
  EXPECT_NE(publisher_.find("work"), nullptr);
  reload("profiles: { play: }\n");
  EXPECT_THAT(errors(), IsEmpty());
  EXPECT_EQ(state_.policy_generation, 2u);
  EXPECT_EQ(publisher_.find("work"), nullptr);
  EXPECT_NE(publisher_.find("play"), nullptr);
  EXPECT_NE(in_force_.policy.profile("play"), nullptr);
}

TEST_F(EnforcementTest, LookupsFollowThePolicy) {
  reload(
      "paths: { vpn: { interface: px-none0 } }\n"
      "profiles: { work: { dns: { via: vpn, servers: [10.0.0.53] } }, play: }\n");
  EXPECT_THAT(errors(), IsEmpty());
  EXPECT_TRUE(lookups_.has("work"));
  EXPECT_FALSE(lookups_.has("play"));
  reload("profiles: { work: }\n");
  EXPECT_FALSE(lookups_.has("work"));
}

TEST_F(EnforcementTest, ABadPolicyChangesNothing) {
  reload("profiles: { play: { rules: [ { to: nowhere, via: [] } ] } }\n");
  EXPECT_THAT(errors(), testing::Not(IsEmpty()));
  EXPECT_EQ(state_.policy_generation, 1u);
  EXPECT_NE(publisher_.find("work"), nullptr);
  EXPECT_NE(in_force_.policy.profile("work"), nullptr);
  reload("profiles: { work: }\n");
  EXPECT_THAT(errors(), IsEmpty()) << "the next one is not held to the last";
  EXPECT_EQ(state_.policy_generation, 2u);
}

TEST_F(EnforcementTest, APolicyThatCannotBePublishedChangesNothing) {
  std::filesystem::create_directory(directory_ / "plan-v3" / "play.plan");
  std::filesystem::create_directory(directory_ / "plan-v3" / "play.plan" / "in-the-way");
  reload("profiles: { play: }\n");
  EXPECT_THAT(errors(), ElementsAre(HasSubstr("play.plan")));
  EXPECT_EQ(state_.policy_generation, 1u);
  EXPECT_NE(publisher_.find("work"), nullptr);
}

TEST_F(EnforcementTest, AWayHasAProfileWhileItIsHeld) {
  reload("paths: { home: { interface: lo } }\nprofiles: { work: }\n");
  auto held = enforcement_.hold_way("home", "");
  ASSERT_TRUE(held) << held.error().message;
  EXPECT_EQ(**held, "via.home");
  EXPECT_NE(publisher_.find("via.home"), nullptr);
  EXPECT_NE(publisher_.find("work"), nullptr);
  EXPECT_EQ(*enforcement_.hold_way("home", ""), *held) << "one profile for all";
  reload("profiles: { play: }\n");
  EXPECT_THAT(errors(), IsEmpty());
  EXPECT_NE(publisher_.find("via.home"), nullptr) << "also when the policy has lost the path";
  held->reset();
  const auto file = directory_ / "plan-v3" / "via.home.plan";
  EXPECT_TRUE(std::filesystem::exists(file));
  while (publisher_.find("via.home") != nullptr) ASSERT_GT(context_.run_one(), 0u);
  EXPECT_FALSE(std::filesystem::exists(file));
  EXPECT_NE(publisher_.find("play"), nullptr);
  EXPECT_EQ(in_force_.policy.path("home"), nullptr);
}

TEST_F(EnforcementTest, AWayThatThereIsNotChangesNothing) {
  EXPECT_FALSE(enforcement_.hold_way("nowhere", ""));
  EXPECT_EQ(in_force_.policy.profiles.size(), 1u);
}

TEST_F(EnforcementTest, AnotherHostIsTheSnapshotInForce) {
  Snapshot snapshot = in_force_.snapshot;
  Entry entry;
  entry.number = static_cast<std::uint32_t>(snapshot.entries.size() + 1);
  entry.interface = "new0";
  entry.source = *bundle::address_from_text("192.0.2.5");
  snapshot.entries.push_back(entry);
  snapshot.reach.emplace_back();
  enforcement_.host_changed(snapshot);
  EXPECT_TRUE(in_force_.snapshot == snapshot);
  EXPECT_TRUE(enforcement_.use_added_routers()) << "which looks at the host again";
  EXPECT_FALSE(in_force_.snapshot == snapshot);
}

}  // namespace
}  // namespace px::broker
