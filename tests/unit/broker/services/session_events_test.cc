// SPDX-License-Identifier: MIT
// What a watcher of a real server hears.
#include "broker/services/session_events.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <nlohmann/json.hpp>

#include "broker/sessions/server.h"
#include "tests/unit/broker/services/services_fixture.h"

namespace px::broker {
namespace {

using nlohmann::json;

class SessionEventsTest : public test::ServicesTest {
 protected:
  SessionEventsTest() {
    dispatcher.add(plan::MessageType::kRequest, [](const Peer&, Packet) {
      Answer answer = text_answer("{}");
      answer.then = Answer::Then::kWatch;
      return answer;
    });
    EXPECT_TRUE(server.listen(directory / "px.sock"));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    plan::fill_text(address.sun_path, (directory / "px.sock").string());
    EXPECT_EQ(connect(watcher.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    const auto request = plan::header_of(plan::MessageType::kRequest, sizeof(plan::MessageHeader));
    EXPECT_EQ(::send(watcher.get(), &request, sizeof request, 0), ssize_t{sizeof request});
    while (!server.watched()) context.run_one();
    EXPECT_EQ(next(), json::object());
  }

  json next() const {
    std::vector<std::byte> packet(plan::kLargestMessage);
    const ssize_t length = recv(watcher.get(), packet.data(), packet.size(), MSG_DONTWAIT);
    packet.resize(length < 0 ? 0 : static_cast<std::size_t>(length));
    return json::parse(plan::parse_text(packet).value_or("null"));
  }
  std::string next_event() const {
    const json event = next();
    return event.is_object() ? event.value("event", "") : "none";
  }

  Fd watcher{::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)};
  Server server{context, {10, 10}, dispatcher, descriptors};
  SessionEvents events{context, sessions, server};
};

TEST_F(SessionEventsTest, ProgramsStartMoveAndEnd) {
  say_hello("work");
  const Session& session = *sessions.find(getpid());
  events.started(session);
  const json started = next();
  EXPECT_EQ(started["event"], "started");
  EXPECT_EQ(started["pid"], getpid());
  EXPECT_EQ(started["profile"], "work");
  events.moved(session);
  EXPECT_EQ(next_event(), "moved");
  events.ended(session);
  EXPECT_EQ(next_event(), "ended");
}

TEST_F(SessionEventsTest, CountersAreToldOfOnceTheyHaveChanged) {
  const auto page = sessions.hello(test::this_process(), {"work"}, {});
  ASSERT_TRUE(page);
  void* mapping =
      mmap(nullptr, plan::kCountersSize, PROT_READ | PROT_WRITE, MAP_SHARED, page->get(), 0);
  ASSERT_NE(mapping, MAP_FAILED);
  auto* counters = static_cast<plan::Counters*>(mapping);
  counters->routed += 2;
  events.start();
  const json event = next();
  EXPECT_EQ(event["event"], "counters");
  EXPECT_EQ(event["routed"], 2);
  events.start();
  EXPECT_EQ(next_event(), "none") << "nothing has changed";
  counters->refused += 1;
  events.start();
  EXPECT_EQ(next_event(), "counters");
  events.ended(*sessions.find(getpid()));
  EXPECT_EQ(next_event(), "ended");
  events.start();
  EXPECT_EQ(next_event(), "counters") << "of another program, for all that is known";
  munmap(mapping, plan::kCountersSize);
}

}  // namespace
}  // namespace px::broker
