// SPDX-License-Identifier: MIT
#include "broker/services/mark_service.h"

#include <fcntl.h>
#include <sys/socket.h>

#include "tests/unit/broker/services/services_fixture.h"

namespace px::broker {
namespace {

using test::reason_of;
using test::type_of;

constexpr std::uint32_t kNamedMark = 0x01000000;

class MarkServiceTest : public test::ServicesTest {
 protected:
  MarkServiceTest() {
    service.register_with(dispatcher);
    publish(
        "paths: { lan: { interface: lan0 } }\n"
        "profiles: { work: { listen: { mode: received-source, via: lan } }, play: }",
        {{"listen work", kNamedMark}});
  }

  Answer ask(std::uint32_t value, const Fd& descriptor) {
    auto message = plan::make<plan::Mark>();
    message.mark = value;
    return send(message, descriptor);
  }

  Fd socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  MarkService service{{publisher, sessions, routing, NetworkNamespace(0)}};
};

TEST_F(MarkServiceTest, OnlyAProgramThatHasSaidHelloGetsOne) {
  EXPECT_EQ(reason_of(ask(kNamedMark, socket), plan::RefusalCode::kNotAllowed),
            "the process has not said hello");
  say_hello("work");
  EXPECT_EQ(type_of(ask(kNamedMark, socket)), plan::MessageType::kMarked);
}

TEST_F(MarkServiceTest, OnlyWhatThePlanNamesIsGiven) {
  say_hello("play");
  EXPECT_EQ(reason_of(ask(kNamedMark, socket), plan::RefusalCode::kNotAllowed),
            "the plan of 'play' does not name this mark (any more)");
  sessions.change(getpid(), {"gone"});
  EXPECT_EQ(reason_of(ask(kNamedMark, socket), plan::RefusalCode::kNotAllowed),
            "the plan of 'gone' does not name this mark (any more)");
  EXPECT_EQ(type_of(ask(0, socket)), plan::MessageType::kMarked) << "it may be taken away";
}

TEST_F(MarkServiceTest, WhatIsNoInternetSocketIsNotMarked) {
  say_hello("work");
  EXPECT_EQ(reason_of(ask(kNamedMark, Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC))),
                      plan::RefusalCode::kUnmarkable),
            "what came with the request is no socket");
  const Fd local(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(reason_of(ask(kNamedMark, local), plan::RefusalCode::kUnmarkable),
            "the socket is not an internet socket");
}

TEST_F(MarkServiceTest, WithoutASocketThereIsNoAnswer) {
  say_hello("work");
  EXPECT_TRUE(ask(kNamedMark, Fd()).packets.empty());
}

}  // namespace
}  // namespace px::broker
