// SPDX-License-Identifier: MIT
#include "broker/services/program_service.h"

#include <fcntl.h>

#include "tests/unit/broker/services/services_fixture.h"

namespace px::broker {
namespace {

using test::answered;
using test::reason_of;
using test::type_of;

class ProgramServiceTest : public test::ServicesTest {
 protected:
  ProgramServiceTest() {
    service.register_with(dispatcher);
    publish("profiles: { work: , play: }");
  }

  static plan::Hello hello(const std::string& profile) {
    auto message = plan::make<plan::Hello>();
    message.layout_version = plan::kLayoutVersion;
    plan::fill_text(message.profile, profile);
    return message;
  }
  static plan::Launch launch(const std::string& profile, plan::Coverage coverage) {
    auto message = plan::make<plan::Launch>();
    message.coverage = coverage;
    plan::fill_text(message.profile, profile);
    return message;
  }

  ProgramService service{{in_force.policy, publisher, sessions, assignments, here, 99}};
};

TEST_F(ProgramServiceTest, AHelloIsGivenThePlanAndACountersPage) {
  publisher.recheck("work");
  const Answer answer = send(hello("work"));
  const auto welcome = answered<plan::Welcome>(answer);
  EXPECT_EQ(welcome.header.type, plan::MessageType::kWelcome);
  EXPECT_STREQ(welcome.profile, "work");
  EXPECT_EQ(welcome.broker_instance, 99u);
  EXPECT_EQ(welcome.recheck, publisher.find("work")->recheck());
  ASSERT_EQ(answer.descriptors.size(), 2u);
  EXPECT_EQ(answer.descriptors[0], publisher.find("work")->read_only_fd());
  ASSERT_EQ(answer.owned.size(), 1u);
  EXPECT_EQ(answer.descriptors[1], answer.owned[0].get());
  EXPECT_EQ(answer.then, Answer::Then::kServe);
  EXPECT_EQ(sessions.find(getpid())->assignment.profile, "work");
}

TEST_F(ProgramServiceTest, AProgramWithoutAProfileIsToldSoAndForgotten) {
  say_hello("", Origin::kDefault);
  const Answer answer = send(hello(""));
  EXPECT_STREQ(answered<plan::Welcome>(answer).profile, "");
  EXPECT_TRUE(answer.descriptors.empty());
  EXPECT_EQ(sessions.size(), 0u);
}

TEST_F(ProgramServiceTest, AHelloIsRefusedWithAReason) {
  EXPECT_EQ(reason_of(send(hello("rest")), plan::RefusalCode::kNoSuchProfile),
            "no profile named 'rest'; there are: work, play");
  auto message = hello("work");
  message.network_namespace = 8;
  EXPECT_EQ(reason_of(send(message), plan::RefusalCode::kOtherNamespace),
            "the broker is in another network namespace; run a pxd in this one");
  message.network_namespace = 7;
  EXPECT_EQ(type_of(send(message)), plan::MessageType::kWelcome);
  message.layout_version = plan::kLayoutVersion + 1;
  EXPECT_EQ(reason_of(send(message), plan::RefusalCode::kOtherVersion),
            "libpx.so and pxd are of different versions; restart the older one");
}

TEST_F(ProgramServiceTest, AQuotaIsToldOf) {
  SessionTable full(context, {0, 0}, [](const Session&, SessionTable::Change) {});
  ProgramService other({in_force.policy, publisher, full, assignments, here, 99});
  dispatcher = {};
  other.register_with(dispatcher);
  const std::string why = "too many programs run under px: at most 0 of one user and 0 in all";
  EXPECT_EQ(reason_of(send(hello("work")), plan::RefusalCode::kQuota), why);
  EXPECT_EQ(reason_of(send(launch("work", plan::Coverage::kCovered)), plan::RefusalCode::kQuota),
            why);
}

TEST_F(ProgramServiceTest, ALaunchBeginsASessionBeforeTheProgramDoes) {
  const Answer answer = send(launch("work", plan::Coverage::kCovered));
  EXPECT_EQ(answered<plan::MessageHeader>(answer).type, plan::MessageType::kLaunched);
  const Session* session = sessions.find(getpid());
  ASSERT_NE(session, nullptr);
  EXPECT_EQ(session->state, SessionState::kLaunched);
  EXPECT_EQ(session->assignment.origin, Origin::kLaunched);
}

TEST_F(ProgramServiceTest, ALaunchSaysWhyItsProgramIsNotCovered) {
  auto message = launch("work", plan::Coverage::kUncovered);
  EXPECT_EQ(type_of(send(message)), plan::MessageType::kLaunched);
  EXPECT_EQ(sessions.find(getpid())->why_uncovered, "no reason given");
  plan::fill_text(message.why_uncovered, "statically linked");
  EXPECT_EQ(type_of(send(message)), plan::MessageType::kLaunched);
  EXPECT_EQ(sessions.find(getpid())->why_uncovered, "statically linked");
}

TEST_F(ProgramServiceTest, ALaunchIsRefusedWithAReason) {
  auto message = launch("rest", plan::Coverage::kCovered);
  EXPECT_EQ(reason_of(send(message), plan::RefusalCode::kNoSuchProfile),
            "no profile named 'rest'; there are: work, play");
  message.network_namespace = 8;
  EXPECT_EQ(reason_of(send(message), plan::RefusalCode::kOtherNamespace),
            "the broker is in another network namespace; run a pxd in this one");
}

TEST_F(ProgramServiceTest, WhatIsMalformedGetsNoAnswer) {
  EXPECT_TRUE(send(hello("../../etc/passwd")).packets.empty());
  EXPECT_TRUE(send(launch("work", plan::Coverage{5})).packets.empty());
  const Fd descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  EXPECT_TRUE(send(launch("work", plan::Coverage::kCovered), descriptor).packets.empty());
  EXPECT_EQ(type_of(send(hello("work"), descriptor)), plan::MessageType::kWelcome);
}

}  // namespace
}  // namespace px::broker
