// SPDX-License-Identifier: MIT
#include "preload/bundles/plan_egress.h"

#include "tests/unit/preload/streams/connector_fixture.h"

namespace px::shim {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr int kProbe = 12;

class PlanEgressTest : public ConnectorTest {
 protected:
  PlanEgress egress() {
    return {kFakeCalls,   shim_.settings, *fds_,        shim_.plan, shim_.decider,
            shim_.health, connector_,     round_trips_, kFd,        plan::HealthFact::kStreams};
  }
  RoundTrips round_trips_;
  static bundle::Endpoint member(const char* text) {
    return {.address = address(text), .port = 443};
  }
};

TEST_F(PlanEgressTest, WhatTookTimeIsKnownToTheNextConnect) {
  const auto far = member("198.51.100.1");
  EXPECT_EQ(egress().round_trip_ms(far), 0u);
  egress().answered(far, 150);
  EXPECT_EQ(egress().round_trip_ms(far), 150u);
  EXPECT_EQ(egress().round_trip_ms(member("198.51.100.2")), 0u);
  egress().answered(far, 0);
  EXPECT_EQ(egress().round_trip_ms(far), 1u);
  egress().answered(far, 100'000);
  EXPECT_EQ(egress().round_trip_ms(far), 1'000u);
}

TEST_F(PlanEgressTest, TheOwnSocketAndProbesGoByTheMembersRule) {
  broker_.plan.publish_via(kVpn);
  fresh();
  PlanEgress made = egress();
  EXPECT_EQ(made.prepare(kProbe, member("198.51.100.1")), 0);
  EXPECT_THAT(take_calls(), ElementsAre("no port", "bind 10.2.0.2:0", "device vpn0"));
  EXPECT_EQ(fds_->get(kProbe).kind, FdKind::kUnknown);
  EXPECT_EQ(made.prepare(kFd, member("198.51.100.1")), 0);
  EXPECT_THAT(take_calls(), ElementsAre("no port", "bind 10.2.0.2:0", "device vpn0"));
  EXPECT_EQ(fds_->get(kFd).kind, FdKind::kDecided);
}

TEST_F(PlanEgressTest, AProbeOfAnIpv6SocketIsOne) {
  broker_.plan.publish_via(kVpn);
  fresh(AF_INET6);
  kernel_.domain = AF_INET6;
  EXPECT_EQ(egress().prepare(kProbe, member("198.51.100.1")), 0);
  EXPECT_THAT(take_calls(), Contains("bind [10.2.0.2]:0"));
}

TEST_F(PlanEgressTest, AProbeOfTheOtherFamilyGoesByItsRuleToo) {
  broker_.plan.publish_block();
  fresh();
  kernel_.domain = AF_INET6;
  EXPECT_EQ(egress().prepare(kProbe, member("2001:db8::1")), EACCES);
  EXPECT_EQ(egress().prepare(kFd, member("2001:db8::1")), EAFNOSUPPORT);
}

TEST_F(PlanEgressTest, ABlockedMemberFails) {
  broker_.plan.publish_block();
  fresh();
  EXPECT_EQ(egress().prepare(kFd, member("198.51.100.1")), EACCES);
  EXPECT_THAT(take_calls(), IsEmpty());
}

TEST_F(PlanEgressTest, WithAPortOfItsOwnTheSocketGetsNoSource) {
  broker_.plan.publish_via(
      entry(3, "vpn0", "10.2.0.2", plan::kEntryUsable | plan::kEntryKernelSource));
  FdState state = fresh_socket(AF_INET, SOCK_STREAM, 0);
  state.kind = FdKind::kPortBound;
  fds_->set(kFd, state);
  EXPECT_EQ(egress().prepare(kProbe, member("198.51.100.1")), 0);
  EXPECT_THAT(take_calls(), ElementsAre("state?", "device vpn0"));
}

TEST_F(PlanEgressTest, ASocketOfTheProgramsOwnChoiceIsLeftAloneAndMirrored) {
  broker_.plan.publish_via(kVpn);
  FdState state = fresh_socket(AF_INET, SOCK_STREAM, 0);
  state.kind = FdKind::kOwned;
  fds_->set(kFd, state);
  kernel_.device = "lte0";
  kernel_.bound = {.address = address("10.3.0.2"), .port = 99};
  PlanEgress made = egress();
  EXPECT_EQ(made.prepare(kFd, member("198.51.100.1")), 0);
  EXPECT_THAT(take_calls(), IsEmpty());
  EXPECT_EQ(made.prepare(kProbe, member("198.51.100.1")), 0);
  EXPECT_THAT(take_calls(),
              ElementsAre("device?", "device lte0", "name?", "no port", "bind 10.3.0.2:0"));
  EXPECT_TRUE(made.can_move(kFd, member("198.51.100.1"), member("127.0.0.1")));
}

TEST_F(PlanEgressTest, WhatHasADeviceStaysWithIt) {
  broker_.plan.publish_via(kVpn);
  fresh();
  PlanEgress made = egress();
  EXPECT_TRUE(made.can_move(kFd, member("198.51.100.1"), member("198.51.100.2")));
  // Loopback is unsteered.
  EXPECT_TRUE(made.can_move(kFd, member("127.0.0.1"), member("198.51.100.2")));
  EXPECT_FALSE(made.can_move(kFd, member("198.51.100.2"), member("127.0.0.1")));
}

TEST_F(PlanEgressTest, SctpCannotBePreparedForARouterOfItsOwn) {
  plan::Entry router = kVpn;
  router.mark = 1 << 24;
  broker_.plan.publish_via(router);
  fresh();
  PlanEgress made = egress();
  EXPECT_TRUE(made.can_move(kFd, member("198.51.100.1"), member("198.51.100.2")));
  kernel_.protocol = IPPROTO_SCTP;
  EXPECT_FALSE(made.can_move(kFd, member("198.51.100.1"), member("198.51.100.1")));
}

TEST_F(PlanEgressTest, WithoutABrokerNothingIsSpreadAndAllIsAsBefore) {
  broker_.plan.publish_via(kVpn);
  fresh();
  PlanEgress made = egress();
  const bundle::Endpoint members[] = {member("198.51.100.1"), member("198.51.100.2")};
  EXPECT_FALSE(made.prepare_each(kFd, members));
  EXPECT_EQ(fds_->get(kFd).kind, FdKind::kFresh);
  EXPECT_FALSE(made.prepare_each(kProbe, members));
  take_calls();
  EXPECT_EQ(made.prepare(kFd, members[0]), 0);
  EXPECT_THAT(take_calls(), ElementsAre("no port", "bind 10.2.0.2:0", "device vpn0"));
}

TEST_F(PlanEgressTest, ASocketThatTheBrokerHasBoundInVainStillHasTheFirstMembersEgress) {
  broker_.plan.publish_via(kVpn);
  fresh();
  kernel_.bound = {.address = address("10.2.0.2"), .port = 99};
  PlanEgress made = egress();
  const bundle::Endpoint members[] = {member("198.51.100.1")};
  EXPECT_FALSE(made.prepare_each(kFd, members));
  EXPECT_EQ(fds_->get(kFd).kind, FdKind::kDecided);
  EXPECT_EQ(made.prepare(kFd, members[0]), 0);
  EXPECT_THAT(take_calls(), Contains("device vpn0"));
}

TEST_F(PlanEgressTest, WhatWasBoundElsewhereMeanwhileGoesNowhere) {
  broker_.plan.publish_via(kVpn);
  fresh();
  kernel_.bound = {.address = address("10.9.9.9"), .port = 99};
  PlanEgress made = egress();
  const bundle::Endpoint members[] = {member("198.51.100.1")};
  EXPECT_FALSE(made.prepare_each(kFd, members));
  EXPECT_EQ(made.prepare(kFd, members[0]), ENETUNREACH);
}

TEST_F(PlanEgressTest, ASocketOfTheProgramsOwnChoiceIsNotSpread) {
  broker_.plan.publish_via(kVpn);
  for (const FdKind kind : {FdKind::kOwned, FdKind::kPortBound}) {
    FdState state = fresh_socket(AF_INET, SOCK_STREAM, 0);
    state.kind = kind;
    fds_->set(kFd, state);
    PlanEgress made = egress();
    take_calls();
    const bundle::Endpoint members[] = {member("198.51.100.1"), member("198.51.100.2")};
    EXPECT_FALSE(made.prepare_each(kFd, members));
    EXPECT_THAT(take_calls(), IsEmpty());
  }
}

TEST_F(PlanEgressTest, WithoutAPlanNothingIsKnown) {
  broker_.outcome = HelloOutcome::kNoProfile;
  fresh();
  PlanEgress made = egress();
  EXPECT_EQ(made.health(member("198.51.100.1")), bundle::Health::kUnknown);
  EXPECT_EQ(made.prepare(kFd, member("198.51.100.1")), 0);
  EXPECT_TRUE(made.can_move(kFd, member("198.51.100.1"), member("127.0.0.1")));
}

}  // namespace
}  // namespace px::shim
