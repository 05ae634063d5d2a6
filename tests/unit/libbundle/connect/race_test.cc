// SPDX-License-Identifier: MIT
#include "libbundle/connect/race.h"

#include <gmock/gmock.h>
#include <netinet/in.h>

#include <string>
#include <vector>

#include "tests/unit/libbundle/connect/race_fixture.h"

namespace px::bundle {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(RaceTest, TheFirstThatAnswersCostsNothing) {
  network_.hosts = {{"10.0.0.1", answers(90)}, {"10.0.0.2", answers()}};
  EXPECT_EQ(connect({"10.0.0.1", "10.0.0.2"}), 0);
  EXPECT_THAT(network_.calls, ElementsAre("socket 10.0.0.1 @0"));
  EXPECT_THAT(egress_.reports, IsEmpty());
}

TEST_F(RaceTest, WhereTheRoundTripIsKnownTheSecondIsNotAsked) {
  network_.hosts = {{"10.0.0.1", answers(150)}, {"10.0.0.2", answers(100)}};
  EXPECT_EQ(connect({"10.0.0.1", "10.0.0.2"}), 0);
  EXPECT_EQ(network_.calls.size(), 2u);
  EXPECT_EQ(egress_.times["10.0.0.1"], 150u);
  network_.own() = {};
  network_.calls.clear();
  EXPECT_EQ(connect({"10.0.0.1", "10.0.0.2"}), 0);
  EXPECT_THAT(network_.calls, ElementsAre(testing::StartsWith("socket 10.0.0.1 @")));
  EXPECT_EQ(peer(), "10.0.0.1");
}

TEST_F(RaceTest, TheSecondIsProbedAfterTheStagger) {
  network_.hosts = {{"10.0.0.2", answers()}};
  EXPECT_EQ(connect({"10.0.0.1", "10.0.0.2"}), 0);
  EXPECT_THAT(network_.calls,
              ElementsAre("socket 10.0.0.1 @0", "probe 10.0.0.2 @100", "socket 10.0.0.2 @110"));
  EXPECT_THAT(egress_.reports, ElementsAre("10.0.0.1 dead", "10.0.0.2 alive"));
}

TEST_F(RaceTest, AnAnswerBetweenStaggerAndProbeIsTaken) {
  network_.hosts = {{"10.0.0.1", answers(150)}, {"10.0.0.2", answers(60)}};
  EXPECT_EQ(connect({"10.0.0.1", "10.0.0.2"}), 0);
  EXPECT_EQ(peer(), "10.0.0.1");
  EXPECT_EQ(network_.now, 150);
}

TEST_F(RaceTest, WhatRefusesMakesTheSocketGoOn) {
  network_.hosts = {{"10.0.0.1", refuses()}, {"10.0.0.2", refuses()}, {"10.0.0.3", answers()}};
  EXPECT_EQ(connect({"10.0.0.1", "10.0.0.2", "10.0.0.3"}), 0);
  EXPECT_THAT(network_.calls,
              ElementsAre("socket 10.0.0.1 @0", "socket 10.0.0.2 @10", "socket 10.0.0.3 @20"));
}

TEST_F(RaceTest, AProbeThatIsRefusedReleasesTheNext) {
  network_.hosts = {{"10.0.0.2", refuses()}, {"10.0.0.3", answers()}};
  EXPECT_EQ(connect({"10.0.0.1", "10.0.0.2", "10.0.0.3"}), 0);
  EXPECT_THAT(network_.calls, ElementsAre("socket 10.0.0.1 @0", "probe 10.0.0.2 @100",
                                          "probe 10.0.0.3 @110", "socket 10.0.0.3 @120"));
}

// PB-8: who answers at first may not answer in the end.
TEST_F(RaceTest, AMemberThatAnswersProbesAloneIsLeftAgain) {
  network_.hosts = {{"10.0.0.2", answers()}, {"socket 10.0.0.2", kSilent}, {"10.0.0.3", answers()}};
  EXPECT_EQ(connect({"10.0.0.1", "10.0.0.2", "10.0.0.3"}), 0);
  EXPECT_EQ(peer(), "10.0.0.3");
  network_.own() = {};
  network_.hosts["socket 10.0.0.2"] = refuses();
  EXPECT_EQ(connect({"10.0.0.1", "10.0.0.2", "10.0.0.3"}), 0);
  EXPECT_EQ(peer(), "10.0.0.3");
}

TEST_F(RaceTest, OfAllFailuresTheOneThatSaysMost) {
  network_.hosts = {{"10.0.0.1", {10, EHOSTUNREACH}}, {"10.0.0.2", refuses()}};
  egress_.errors["10.0.0.3"] = EACCES;
  EXPECT_EQ(connect({"10.0.0.3", "10.0.0.1", "10.0.0.2"}), ECONNREFUSED);
  EXPECT_EQ(peer(), "none");
  EXPECT_EQ(connect({"10.0.0.3", "10.0.0.1"}), EHOSTUNREACH);
  egress_.errors["10.0.0.1"] = EACCES;
  EXPECT_EQ(connect({"10.0.0.3", "10.0.0.1"}), EACCES);
  EXPECT_THAT(egress_.reports, IsEmpty());
}

TEST_F(RaceTest, TheProgramsTimeoutLeavesTheFirstConnecting) {
  timeout_ms_ = 150;
  EXPECT_EQ(connect({"10.0.0.1", "10.0.0.2"}), EINPROGRESS);
  EXPECT_EQ(network_.now, 150);
  EXPECT_EQ(peer(), "10.0.0.1");
}

TEST_F(RaceTest, MoreMembersThanHandshakesAreReached) {
  network_.hosts = {{"10.0.0.9", answers()}};
  std::vector<std::string> members;
  for (int i = 1; i <= 9; ++i) members.push_back("10.0.0." + std::to_string(i));
  EXPECT_EQ(connect(members), 0);
  EXPECT_EQ(peer(), "10.0.0.9");
  EXPECT_LT(network_.now, 2'000);
}

TEST_F(RaceTest, ASlowHostIsNotGivenUpForGood) {
  network_.hosts = {{"10.0.0.5", answers(900)}};
  std::vector<std::string> members;
  for (int i = 1; i <= 9; ++i) members.push_back("10.0.0." + std::to_string(i));
  EXPECT_EQ(connect(members), 0);
  EXPECT_EQ(peer(), "10.0.0.5");
}

TEST_F(RaceTest, TheDeadComeLast) {
  network_.hosts = {{"10.0.0.1", answers()}, {"10.0.0.2", answers()}};
  egress_.healths["10.0.0.1"] = Health::kDead;
  EXPECT_EQ(connect({"10.0.0.1", "10.0.0.2"}), 0);
  EXPECT_THAT(network_.calls, ElementsAre("socket 10.0.0.2 @0"));
  network_.own() = {};
  egress_.healths["10.0.0.2"] = Health::kDead;
  EXPECT_EQ(connect({"10.0.0.1", "10.0.0.2"}), 0);
  EXPECT_EQ(peer(), "10.0.0.1");
  EXPECT_THAT(egress_.reports, ElementsAre("10.0.0.1 alive"));
}

TEST_F(RaceTest, NonBlockingWaitsForTheFirstAnswer) {
  network_.own().nonblocking = true;
  network_.hosts = {{"10.0.0.1", answers(30)}};
  EXPECT_EQ(connect({"10.0.0.1", "10.0.0.2"}), EINPROGRESS);
  EXPECT_EQ(network_.now, 30);
  EXPECT_THAT(network_.calls, ElementsAre("socket 10.0.0.1 @0"));
  EXPECT_THAT(egress_.reports, ElementsAre("10.0.0.1 alive"));
}

TEST_F(RaceTest, NonBlockingTakesTheWinnerAndDoesNotWait) {
  network_.own().nonblocking = true;
  network_.hosts = {{"10.0.0.2", answers(30)}};
  EXPECT_EQ(connect({"10.0.0.1", "10.0.0.2"}), EINPROGRESS);
  EXPECT_EQ(network_.now, 130);
  EXPECT_EQ(peer(), "10.0.0.2");
}

TEST_F(RaceTest, NonBlockingGoesToTheLivingAtOnce) {
  network_.own().nonblocking = true;
  egress_.healths["10.0.0.1"] = Health::kAlive;
  EXPECT_EQ(connect({"10.0.0.1", "10.0.0.2"}), EINPROGRESS);
  EXPECT_EQ(network_.now, 0);
}

TEST_F(RaceTest, NonBlockingEndsSoonWhereNobodyAnswers) {
  network_.own().nonblocking = true;
  EXPECT_EQ(connect({"10.0.0.1", "10.0.0.2"}), EINPROGRESS);
  EXPECT_EQ(network_.now, 700);
  EXPECT_EQ(peer(), "10.0.0.1");
  network_.own() = {.nonblocking = true};
  network_.now = 0;
  EXPECT_EQ(connect({"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"}, 1'000), EINPROGRESS);
  EXPECT_EQ(network_.now, 1'500);
  network_.own() = {.nonblocking = true};
  network_.hosts = {{"10.0.0.1", refuses()}, {"10.0.0.2", refuses()}};
  EXPECT_EQ(connect({"10.0.0.1", "10.0.0.2"}), ECONNREFUSED);
}

TEST_F(RaceTest, WhatCannotMoveIsPreparedOnceForTheWinner) {
  egress_.movable = false;
  network_.hosts = {{"10.0.0.2", answers()}};
  EXPECT_EQ(connect({"10.0.0.1", "10.0.0.2"}), 0);
  EXPECT_THAT(network_.calls,
              ElementsAre("probe 10.0.0.1 @0", "probe 10.0.0.2 @100", "socket 10.0.0.2 @110"));
}

TEST_F(RaceTest, WhoCannotMoveNeedNotBeTheFirst) {
  egress_.stays = "10.0.0.2";
  network_.hosts = {{"10.0.0.1", refuses()}, {"10.0.0.3", answers()}};
  EXPECT_EQ(connect({"10.0.0.1", "10.0.0.2", "10.0.0.3"}), 0);
  EXPECT_EQ(peer(), "10.0.0.3");
}

TEST_F(RaceTest, WhatCannotMoveIsProbedThoughItLived) {
  egress_.movable = false;
  egress_.healths["10.0.0.1"] = Health::kAlive;
  network_.hosts = {{"10.0.0.2", answers()}};
  EXPECT_EQ(connect({"10.0.0.1", "10.0.0.2"}), 0);
  EXPECT_EQ(peer(), "10.0.0.2");
  EXPECT_THAT(egress_.reports, ElementsAre("10.0.0.1 dead", "10.0.0.2 alive"));
  network_.own() = {.nonblocking = true};
  network_.calls.clear();
  EXPECT_EQ(connect({"10.0.0.1", "10.0.0.2"}), EINPROGRESS);
  EXPECT_THAT(network_.calls, ElementsAre(testing::StartsWith("socket 10.0.0.1")));
}

TEST_F(RaceTest, WhatCannotMoveEndsSoonWhenAnotherAnswers) {
  egress_.movable = false;
  network_.hosts = {{"10.0.0.1", answers()}, {"socket 10.0.0.1", kSilent}, {"10.0.0.2", answers()}};
  EXPECT_EQ(connect({"10.0.0.1", "10.0.0.2"}), ETIMEDOUT);
  EXPECT_EQ(network_.now, 1'120);
  EXPECT_EQ(peer(), "none");
}

TEST_F(RaceTest, WithoutDescriptorsTheSocketTakesTurns) {
  network_.descriptors = false;
  network_.hosts = {{"10.0.0.3", answers(150)}};
  EXPECT_EQ(connect({"10.0.0.1", "10.0.0.2", "10.0.0.3"}), 0);
  EXPECT_EQ(peer(), "10.0.0.3");
  network_.own() = {};
  egress_.movable = false;
  network_.calls.clear();
  EXPECT_EQ(connect({"10.0.0.1", "10.0.0.3"}), ETIMEDOUT);
  EXPECT_THAT(network_.calls,
              ElementsAre("socket 10.0.0.1 @" + std::to_string(network_.now - 30000)));
}

TEST_F(RaceTest, AnIpv6SocketReturnsFromIpv4) {
  network_.hosts = {{"2001:db8::1", answers()}};
  EXPECT_EQ(connect({"10.0.0.1", "2001:db8::1"}), 0);
  EXPECT_EQ(peer(), "2001:db8::1");
}

TEST_F(RaceTest, MembersThatTheSocketCannotReachAreLeftOut) {
  network_.own().family = AF_INET;
  network_.hosts = {{"10.0.0.2", answers()}};
  EXPECT_EQ(connect({"2001:db8::1", "10.0.0.1", "10.0.0.2"}), 0);
  EXPECT_EQ(peer(), "10.0.0.2");
  network_.own() = {.family = AF_INET};
  EXPECT_EQ(connect({"2001:db8::1"}), EAFNOSUPPORT);
  network_.own() = {.family = AF_INET6};
  network_.ipv6_only = true;
  network_.calls.clear();
  network_.hosts = {{"2001:db8::1", refuses()}};
  EXPECT_EQ(connect({"10.0.0.1", "2001:db8::1", "2001:db8::2"}), ECONNREFUSED);
  EXPECT_EQ(network_.calls.front().substr(0, 18), "socket 2001:db8::1");
}

TEST_F(RaceTest, TheOtherFamilyIsNotAskedWhereTheSocketsOwnAnswersOrRefuses) {
  network_.own().family = AF_INET;
  network_.hosts = {{"10.0.0.1", refuses()}, {"2001:db8::1", answers()}};
  EXPECT_EQ(connect({"10.0.0.1", "2001:db8::1"}), ECONNREFUSED);
  network_.own() = {.family = AF_INET};
  network_.hosts["10.0.0.1"] = answers();
  EXPECT_EQ(connect({"10.0.0.1", "2001:db8::1"}), 0);
  EXPECT_THAT(network_.calls, ElementsAre("socket 10.0.0.1 @0", "socket 10.0.0.1 @10"));
}

TEST_F(RaceTest, WithoutDescriptorsTheOtherFamilyIsNotAsked) {
  network_.own().family = AF_INET;
  network_.descriptors = false;
  network_.hosts = {{"10.0.0.2", answers()}, {"2001:db8::1", answers()}};
  EXPECT_EQ(connect({"2001:db8::1", "10.0.0.1", "10.0.0.2"}), 0);
  EXPECT_EQ(peer(), "10.0.0.2");
}

TEST_F(RaceTest, ASocketThatIsConnectedGetsTheKernelsAnswer) {
  network_.hosts = {{"10.0.0.1", answers()}};
  EXPECT_EQ(connect({"10.0.0.1", "10.0.0.2"}), 0);
  EXPECT_EQ(connect({"10.0.0.1", "10.0.0.2"}), EISCONN);
  network_.own() = {.nonblocking = true};
  EXPECT_EQ(connect({"10.0.0.3", "10.0.0.4"}), EINPROGRESS);
  EXPECT_EQ(connect({"10.0.0.3", "10.0.0.4"}), EALREADY);
}

TEST_F(RaceTest, ASocketOfAnotherStateGoesByTheRulesToo) {
  // A failure that the program has not read yet: no race, but a connect all the same.
  network_.own().state = FakeNetwork::Socket::kConnecting;
  network_.own().error = ECONNRESET;
  egress_.errors = {{"10.0.0.1", EACCES}};
  EXPECT_EQ(connect({"10.0.0.1", "10.0.0.2"}), EACCES);
  EXPECT_THAT(network_.calls, IsEmpty());
}

TEST_F(RaceTest, HandlersRunWhileNoProbeIsOpen) {
  network_.signal_at = 120;
  network_.signal_flags = SA_RESTART;
  network_.hosts = {{"10.0.0.2", answers(400)}};
  EXPECT_EQ(connect({"10.0.0.1", "10.0.0.2"}), 0);
  EXPECT_EQ(peer(), "10.0.0.2");
  EXPECT_THAT(network_.open_at_signals, ElementsAre(1));
}

TEST_F(RaceTest, AHandlerWithoutRestartEndsTheCall) {
  network_.signal_at = 120;
  EXPECT_EQ(connect({"10.0.0.1", "10.0.0.2"}), EINTR);
  EXPECT_EQ(peer(), "10.0.0.1");
  EXPECT_LT(network_.now, 300);
  network_.own() = {.nonblocking = true};
  network_.hosts = {{"10.0.0.2", answers()}};
  network_.signal_at = network_.now;
  EXPECT_EQ(connect({"10.0.0.1", "10.0.0.2"}), EINPROGRESS);
  EXPECT_EQ(peer(), "10.0.0.2");
}

TEST_F(RaceTest, AMemberThatIsBlockedIsSkipped) {
  egress_.errors["10.0.0.1"] = EACCES;
  network_.hosts = {{"10.0.0.2", answers()}};
  EXPECT_EQ(connect({"10.0.0.1", "10.0.0.2"}), 0);
  EXPECT_THAT(network_.calls, ElementsAre("socket 10.0.0.2 @0"));
}

}  // namespace
}  // namespace px::bundle
