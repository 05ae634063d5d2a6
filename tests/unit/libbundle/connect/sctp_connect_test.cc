// SPDX-License-Identifier: MIT
#include "libbundle/connect/sctp_connect.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <span>
#include <string>
#include <vector>

#include "tests/unit/libbundle/connect/fake_sctp.h"
#include "tests/unit/preload/shim_plan_fixture.h"

namespace px::bundle {
namespace {

using shim::address;
using testing::ElementsAre;
using testing::IsEmpty;

struct OneEgress final : Egress {
  Errno prepare(int, const Endpoint&) override { return error; }
  bool can_move(int, const Endpoint&, const Endpoint&) override { return true; }
  Health health(const Endpoint&) override { return known; }
  void report(const Endpoint& member, bool alive) override {
    std::array<char, kAddressTextSize> room;
    reports.push_back(std::string(address_text(member.address, room)) + (alive ? " +" : " -"));
  }
  Errno error = 0;
  std::vector<std::string> reports;
  Health known = Health::kUnknown;
};

// 10.0.0.0/24 and 10.0.1.0/24 are two egresses; what ends in .66 is blocked.
struct ManyEgresses final : Egress {
  Errno prepare(int fd, const Endpoint& member) override {
    if (member.address.bytes[15] == 66) return EACCES;
    if (fd == kFd) prepared.push_back(member.address);
    return 0;
  }
  bool can_move(int, const Endpoint& from, const Endpoint& to) override {
    return from.address.bytes[14] == to.address.bytes[14];
  }
  Health health(const Endpoint&) override { return Health::kUnknown; }
  void report(const Endpoint&, bool) override {}
  std::vector<Address> prepared;
};

// The same, and a socket can have the egress of each.
struct EachPrepared final : Egress {
  Errno prepare(int fd, const Endpoint& member) override { return egress.prepare(fd, member); }
  bool can_move(int fd, const Endpoint& from, const Endpoint& to) override {
    return egress.can_move(fd, from, to);
  }
  bool prepare_each(int fd, std::span<const Endpoint> members) override {
    EXPECT_EQ(fd, kFd);
    std::string call;
    for (const Endpoint& member : members) {
      std::array<char, kAddressTextSize> room;
      call += (call.empty() ? "" : " ");
      call += address_text(member.address, room);
    }
    prepared_each.push_back(call);
    return can_prepare_each;
  }
  Health health(const Endpoint&) override { return Health::kAlive; }
  void report(const Endpoint&, bool) override {}
  ManyEgresses egress;
  bool can_prepare_each = true;
  std::vector<std::string> prepared_each;
};

class SctpConnect : public testing::Test {
 protected:
  static Bundle bundle(const std::vector<const char*>& members) {
    Bundle made;
    for (const char* member : members) {
      made.endpoints[made.count++] = {.address = address(member), .port = 80};
    }
    return made;
  }
  Errno connect(const Bundle& to) {
    return sctp_connect(kernel_.system, egress_, kFd, to, {.stagger_ms = kStagger});
  }

  FakeSctp kernel_;
  OneEgress egress_;
};

TEST_F(SctpConnect, OneAssociationHasAllMembersOfAHost) {
  EXPECT_EQ(connect(bundle({"10.0.0.1", "10.0.0.2"})), 0);
  EXPECT_THAT(kernel_.calls, ElementsAre("10.0.0.1 10.0.0.2"));
}

TEST_F(SctpConnect, TheNarrowestScopeGoesFirst) {
  EXPECT_EQ(connect(bundle({"2001:db8::1", "fd00::1", "10.0.0.1", "fe80::1", "192.0.2.1"})), 0);
  EXPECT_THAT(kernel_.calls, ElementsAre("fe80::1 10.0.0.1 2001:db8::1 fd00::1 192.0.2.1"));
}

TEST_F(SctpConnect, AMemberThatRefusesIsLeftOut) {
  kernel_.outcomes = {{ECONNREFUSED}};
  EXPECT_EQ(connect(bundle({"10.0.0.1", "10.0.0.2", "10.0.0.3"})), 0);
  EXPECT_THAT(kernel_.calls, ElementsAre("10.0.0.1 10.0.0.2 10.0.0.3", "10.0.0.2 10.0.0.3"));
}

TEST_F(SctpConnect, ARefusalThatMayBeAnyonesLeavesNobodyOut) {
  kernel_.outcomes = {{ECONNREFUSED, 150}};
  EXPECT_EQ(connect(bundle({"10.0.0.1", "10.0.0.2"})), 0);
  EXPECT_THAT(kernel_.calls, ElementsAre("10.0.0.1 10.0.0.2", "10.0.0.2 10.0.0.1"));
}

TEST_F(SctpConnect, AnAssociationThatDiesGivesTheNextMemberItsTurn) {
  kernel_.outcomes = {{ETIMEDOUT, 500}};
  EXPECT_EQ(connect(bundle({"10.0.0.1", "10.0.0.2"})), 0);
  EXPECT_THAT(kernel_.calls, ElementsAre("10.0.0.1 10.0.0.2", "10.0.0.2 10.0.0.1"));
}

TEST_F(SctpConnect, AHostThatIsSilentIsGivenUp) {
  kernel_.outcomes = {{ETIMEDOUT, 600}, {ETIMEDOUT, 1100}};
  EXPECT_EQ(connect(bundle({"10.0.0.1", "10.0.0.2"})), ETIMEDOUT);
  EXPECT_EQ(kernel_.calls.size(), 2u);
}

TEST_F(SctpConnect, AlternativesAreOneAfterAnother) {
  Bundle to = bundle({"10.0.0.1", "10.0.0.2", "10.0.0.3"});
  to.alternatives = 1 << 2;
  kernel_.outcomes = {{ECONNREFUSED}, {ECONNREFUSED}};
  EXPECT_EQ(connect(to), 0);
  EXPECT_THAT(kernel_.calls, ElementsAre("10.0.0.1 10.0.0.2", "10.0.0.2", "10.0.0.3"));
}

TEST_F(SctpConnect, WhereTcpAloneGetsThroughTheCallEnds) {
  kernel_.outcomes = {{EINPROGRESS, 100}};
  kernel_.pending = -1;
  kernel_.tcp = 0;
  const SctpTimes times{.stagger_ms = kStagger, .tcp_beside = true};
  const Bundle to = bundle({"10.0.0.1", "10.0.0.2"});
  EXPECT_EQ(sctp_connect(kernel_.system, egress_, kFd, to, times), ETIMEDOUT);
  EXPECT_THAT(kernel_.calls, ElementsAre("10.0.0.1 10.0.0.2", "tcp @100"));
  EXPECT_EQ(kernel_.now, 1'000 + 150);
}

TEST_F(SctpConnect, ThatTcpAloneGetsThroughIsRememberedAndNotTriedAgain) {
  kernel_.outcomes = {{EINPROGRESS, 100}};
  kernel_.pending = -1;
  kernel_.tcp = 0;
  const SctpTimes times{.stagger_ms = kStagger, .tcp_beside = true};
  const Bundle to = bundle({"10.0.0.1", "10.0.0.2"});
  EXPECT_EQ(sctp_connect(kernel_.system, egress_, kFd, to, times), ETIMEDOUT);
  EXPECT_THAT(egress_.reports, ElementsAre("10.0.0.1 -", "10.0.0.2 -"));
  kernel_.calls.clear();
  egress_.known = Health::kDead;
  EXPECT_EQ(sctp_connect(kernel_.system, egress_, kFd, to, times), ETIMEDOUT);
  EXPECT_THAT(kernel_.calls, IsEmpty());
}

TEST_F(SctpConnect, WithoutTcpToGoOnToSctpIsTriedAgain) {
  egress_.known = Health::kDead;
  EXPECT_EQ(connect(bundle({"10.0.0.1", "10.0.0.2"})), 0);
  EXPECT_THAT(kernel_.calls, ElementsAre("10.0.0.1 10.0.0.2"));
}

TEST_F(SctpConnect, TcpThatRefusesSaysNothingOfSctp) {
  kernel_.flags = O_NONBLOCK;
  kernel_.outcomes = {{EINPROGRESS}};
  kernel_.pending = -1;
  kernel_.tcp = ECONNREFUSED;
  const SctpTimes times{.stagger_ms = kStagger, .tcp_beside = true};
  const Bundle to = bundle({"10.0.0.1", "10.0.0.2"});
  EXPECT_EQ(sctp_connect(kernel_.system, egress_, kFd, to, times), EINPROGRESS);
  EXPECT_THAT(kernel_.calls, ElementsAre("10.0.0.1 10.0.0.2", "tcp @100", "tcp @200"));
  EXPECT_EQ(kernel_.now, 1'000 + 700);
}

TEST_F(SctpConnect, ASilentHostMakesRoomForTheNextAndGetsMoreTimeAfterIt) {
  Bundle to = bundle({"10.0.0.1", "10.0.0.2"});
  to.alternatives = 1 << 1;
  kernel_.outcomes = {{ETIMEDOUT, 300}};
  EXPECT_EQ(connect(to), 0);
  EXPECT_THAT(kernel_.calls, ElementsAre("10.0.0.1", "10.0.0.2"));
  kernel_.calls.clear();
  kernel_.outcomes = {{ETIMEDOUT, 300}, {ECONNREFUSED}, {ETIMEDOUT, 300}};
  EXPECT_EQ(connect(to), 0);
  EXPECT_THAT(kernel_.calls, ElementsAre("10.0.0.1", "10.0.0.2", "10.0.0.1", "10.0.0.1"));
}

TEST_F(SctpConnect, TheFailureThatSaysMostIsTold) {
  Bundle to = bundle({"10.0.0.1", "10.0.0.2"});
  to.alternatives = 1 << 1;
  kernel_.outcomes = {{ECONNREFUSED}, {ETIMEDOUT, 300}, {ETIMEDOUT, 2000}};
  EXPECT_EQ(connect(to), ECONNREFUSED);
}

TEST_F(SctpConnect, AnIpv4SocketTakesIpv4MembersAlone) {
  kernel_.domain = AF_INET;
  EXPECT_EQ(connect(bundle({"fd00::1", "10.0.0.1"})), 0);
  EXPECT_THAT(kernel_.calls, ElementsAre("10.0.0.1"));
  EXPECT_EQ(connect(bundle({"fd00::1"})), EAFNOSUPPORT);
}

TEST_F(SctpConnect, ASocketThatDoesNotBlockHasARefusalMadeGoodToo) {
  kernel_.flags = O_NONBLOCK;
  kernel_.outcomes = {{EINPROGRESS}, {EINPROGRESS}};
  kernel_.pending = ECONNREFUSED;
  EXPECT_EQ(connect(bundle({"10.0.0.1", "10.0.0.2"})), ECONNREFUSED);
  EXPECT_THAT(kernel_.calls, ElementsAre("10.0.0.1 10.0.0.2", "10.0.0.2"));
}

TEST_F(SctpConnect, ASocketThatDoesNotBlockWaitsOnlyForWhatIsUnknown) {
  kernel_.flags = O_NONBLOCK;
  kernel_.outcomes = {{EINPROGRESS}, {EINPROGRESS}};
  kernel_.pending = -1;
  EXPECT_EQ(connect(bundle({"10.0.0.1", "10.0.0.2"})), EINPROGRESS);
  EXPECT_EQ(kernel_.now, 1'000 + 700);
  egress_.known = Health::kAlive;
  EXPECT_EQ(connect(bundle({"10.0.0.1", "10.0.0.2"})), EINPROGRESS);
  EXPECT_EQ(kernel_.now, 1'000 + 700);
}

TEST_F(SctpConnect, WhatTheKernelBeganAgainGoesOn) {
  kernel_.outcomes = {{EALREADY}, {EISCONN}, {EISCONN}};
  EXPECT_EQ(connect(bundle({"10.0.0.1"})), 0);
  EXPECT_EQ(connect(bundle({"10.0.0.1"})), 0);
  kernel_.connected = true;
  EXPECT_EQ(connect(bundle({"10.0.0.1"})), EISCONN);
}

TEST_F(SctpConnect, WhatGoesOnEndsWithTheProgramsTime) {
  kernel_.outcomes = {{EALREADY}};
  kernel_.pending = -1;
  kernel_.timeout = {.tv_sec = 1, .tv_usec = 20'000};
  EXPECT_EQ(connect(bundle({"10.0.0.1"})), EALREADY);
  EXPECT_EQ(kernel_.now, 1'000 + 1'020);
}

TEST_F(SctpConnect, WhatGoesOnEndsWithAHandlerThatDoesNotRestart) {
  kernel_.outcomes = {{EALREADY}, {EALREADY}};
  kernel_.pending = -1;
  kernel_.signal_at = 1'250;
  EXPECT_EQ(connect(bundle({"10.0.0.1"})), EINTR);
  EXPECT_EQ(kernel_.now, 1'300);
  // One that restarts ends it only where there is a time.
  kernel_.action_flags = SA_RESTART;
  kernel_.timeout = {.tv_sec = 1, .tv_usec = 0};
  EXPECT_EQ(connect(bundle({"10.0.0.1"})), EINTR);
}

TEST_F(SctpConnect, AStopWhileTheKernelWaitsForATimeEndsNothing) {
  kernel_.outcomes = {{EINTR}};
  EXPECT_EQ(connect(bundle({"10.0.0.1"})), 0);
  EXPECT_EQ(kernel_.calls.size(), 1u);
}

TEST_F(SctpConnect, WhatThePolicyForbidsIsNotTried) {
  egress_.error = ENETUNREACH;
  EXPECT_EQ(connect(bundle({"10.0.0.1"})), ENETUNREACH);
  EXPECT_TRUE(kernel_.calls.empty());
}

TEST_F(SctpConnect, MembersOfAnotherEgressOrNoneAreLeftOut) {
  ManyEgresses egress;
  const Bundle to = bundle({"10.0.0.1", "10.0.0.66", "10.0.1.2", "10.0.0.3"});
  EXPECT_EQ(sctp_connect(kernel_.system, egress, kFd, to, {.stagger_ms = kStagger}), 0);
  EXPECT_THAT(kernel_.calls, ElementsAre("10.0.0.1 10.0.0.3"));
  EXPECT_THAT(egress.prepared, ElementsAre(address("10.0.0.1")));
}

TEST_F(SctpConnect, MembersOfSeveralEgressesEachLeaveByTheirOwn) {
  EachPrepared egress;
  const Bundle to = bundle({"10.0.0.1", "10.0.0.66", "10.0.1.2", "10.0.0.3"});
  EXPECT_EQ(sctp_connect(kernel_.system, egress, kFd, to, {.stagger_ms = kStagger}), 0);
  EXPECT_THAT(egress.prepared_each, ElementsAre("10.0.0.1 10.0.1.2 10.0.0.3"));
  EXPECT_THAT(kernel_.calls, ElementsAre("10.0.0.1 10.0.1.2 10.0.0.3"));
  EXPECT_TRUE(egress.egress.prepared.empty());
}

TEST_F(SctpConnect, MembersOfOneEgressAreNotPreparedEach) {
  EachPrepared egress;
  EXPECT_EQ(sctp_connect(kernel_.system, egress, kFd, bundle({"10.0.0.1", "10.0.0.3"}),
                         {.stagger_ms = kStagger}),
            0);
  EXPECT_THAT(egress.prepared_each, IsEmpty());
  const Bundle blocked = bundle({"10.0.0.1", "10.0.1.66"});
  EXPECT_EQ(sctp_connect(kernel_.system, egress, kFd, blocked, {.stagger_ms = kStagger}), 0);
  EXPECT_THAT(egress.prepared_each, IsEmpty());
}

TEST_F(SctpConnect, WhereTheyCannotEachBePreparedTheyLeaveAsTheFirstDoes) {
  EachPrepared egress;
  egress.can_prepare_each = false;
  const Bundle to = bundle({"10.0.0.1", "10.0.1.2", "10.0.0.3"});
  EXPECT_EQ(sctp_connect(kernel_.system, egress, kFd, to, {.stagger_ms = kStagger}), 0);
  EXPECT_EQ(egress.prepared_each.size(), 1u);
  EXPECT_THAT(kernel_.calls, ElementsAre("10.0.0.1 10.0.0.3"));
  EXPECT_THAT(egress.egress.prepared, ElementsAre(address("10.0.0.1")));
}

TEST_F(SctpConnect, AFurtherAlternativeIsPreparedEachToo) {
  EachPrepared egress;
  Bundle to = bundle({"10.0.0.1", "10.0.1.2", "10.0.0.3"});
  to.alternatives = 1 << 2;
  kernel_.outcomes = {{ECONNREFUSED}, {ECONNREFUSED}};
  EXPECT_EQ(sctp_connect(kernel_.system, egress, kFd, to, {.stagger_ms = kStagger}), 0);
  EXPECT_THAT(egress.prepared_each, ElementsAre("10.0.0.1 10.0.1.2", "10.0.0.3"));
  EXPECT_TRUE(egress.egress.prepared.empty());
}

TEST_F(SctpConnect, ASocketOfSeveralEgressesWaitsEvenForALiveMember) {
  EachPrepared egress;
  kernel_.flags = O_NONBLOCK;
  kernel_.outcomes = {{EINPROGRESS}};
  kernel_.pending = -1;
  const Bundle to = bundle({"10.0.0.1", "10.0.1.2"});
  EXPECT_EQ(sctp_connect(kernel_.system, egress, kFd, to, {.stagger_ms = kStagger}), EINPROGRESS);
  EXPECT_EQ(kernel_.now, 1'000 + 700);
}

TEST_F(SctpConnect, AnAlternativeIsAskedAboutToo) {
  ManyEgresses egress;
  Bundle to = bundle({"10.0.0.1", "10.0.0.66", "10.0.1.2", "10.0.0.3"});
  to.alternatives = 1 << 1 | 1 << 2 | 1 << 3;
  kernel_.outcomes = {{ECONNREFUSED}};
  EXPECT_EQ(sctp_connect(kernel_.system, egress, kFd, to, {.stagger_ms = kStagger}), 0);
  EXPECT_THAT(kernel_.calls, ElementsAre("10.0.0.1", "10.0.0.3"));
  EXPECT_THAT(egress.prepared, ElementsAre(address("10.0.0.1")));
}

}  // namespace
}  // namespace px::bundle
