// SPDX-License-Identifier: MIT
#include "broker/services/control_service.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "broker/control/errands.h"
#include "broker/control/reports.h"
#include "broker/host/router_list.h"
#include "broker/mptcp/subflows.h"
#include "broker/names/lookups.h"
#include "broker/services/policy_control.h"
#include "broker/services/session_events.h"
#include "broker/sessions/server.h"
#include "tests/unit/broker/services/services_fixture.h"

namespace px::broker {
namespace {

using nlohmann::json;
using test::kStranger;
using testing::HasSubstr;
using testing::Return;

class FakePolicyControl : public PolicyControl {
 public:
  MOCK_METHOD(void, reload, (), (override));
  MOCK_METHOD(Expected<void>, use_added_routers, (), (override));
  MOCK_METHOD(Expected<std::shared_ptr<const std::string>>, hold_way,
              (const std::string&, const std::string&), (override));
};

class ControlServiceTest : public test::ServicesTest {
 protected:
  ControlServiceTest() {
    service.register_with(dispatcher);
    publish("default-profile: play\nprofiles: { work: , play: }");
    state.policy_generation = 3;
  }

  Answer request(const std::string& text, uid_t uid = getuid()) {
    const auto header =
        plan::header_of(plan::MessageType::kRequest, sizeof(plan::MessageHeader) + text.size());
    std::string packet(reinterpret_cast<const char*>(&header), sizeof header);
    packet += text;
    Answer answer = dispatcher.dispatch(test::this_process(uid), std::as_bytes(std::span(packet)));
    if (!answer.later) return answer;
    std::optional<Answer> later;
    answer.later([&](Answer given) { later = std::move(given); });
    context.restart();
    while (!later && context.run_one_for(std::chrono::seconds(20)) > 0) {
    }
    EXPECT_TRUE(later) << text;
    return later ? std::move(*later) : no_answer();
  }
  static json json_in(const Answer& answer) {
    std::string text;
    for (const auto& packet : answer.packets) text += plan::parse_text(packet).value_or("");
    return json::parse(text, nullptr, false);
  }
  json ask(const json& question, uid_t uid = getuid()) {
    return json_in(request(question.dump(), uid));
  }
  json ask_of(const std::string& command, uid_t uid = getuid()) {
    return ask({{"command", command}}, uid);
  }

  BrokerState state;
  Server server{context, {10, 10}, dispatcher, descriptors};
  MptcpSubflows subflows{context, MptcpPathManager(directory, false),
                         [](const std::string&, const bundle::Endpoint&) { return std::nullopt; }};
  RouterList routers = *RouterList::open(directory / "routers");
  SessionEvents events{context, sessions, server};
  testing::StrictMock<FakePolicyControl> policy_control;
  Errands errands{context};
  Lookups lookups{context};
  ControlService service{{state, in_force, publisher, subflows, sessions, server, routing, routers,
                          assignments, events, policy_control, errands, lookups,
                          NetworkNamespace(7)}};
};

TEST_F(ControlServiceTest, AWayIsHeldByTheConnection) {
  const auto hold = std::make_shared<const std::string>("via.lan");
  EXPECT_CALL(policy_control, hold_way("lan", "via.lan-2")).WillOnce(testing::Return(hold));
  {
    const json question = {
        {"command", "via"}, {"way", "lan"}, {"profile", "via.lan-2"}, {"network_namespace", 7}};
    const Answer answer = request(question.dump());
    EXPECT_EQ(json_in(answer)["profile"], "via.lan");
    EXPECT_EQ(answer.then, Answer::Then::kHold);
    EXPECT_EQ(hold.use_count(), 2);
  }
  EXPECT_EQ(hold.use_count(), 1);
}

TEST_F(ControlServiceTest, AWayOfAnotherNetworkNamespaceIsRefused) {
  const json reply = ask({{"command", "via"}, {"way", "lan"}, {"network_namespace", 8}});
  EXPECT_EQ(reply["other_namespace"], true);
  EXPECT_TRUE(reply.contains("error"));
}

TEST_F(ControlServiceTest, AWayThatThereIsNotIsAnError) {
  EXPECT_CALL(policy_control, hold_way).WillOnce(testing::Return(fail("no such way")));
  EXPECT_EQ(ask({{"command", "via"}, {"way", "lan"}})["error"], "no such way");
}

TEST_F(ControlServiceTest, WhatIsNoRequestIsToldSo) {
  EXPECT_EQ(json_in(request("[]"))["error"], "a request is a JSON object");
  EXPECT_EQ(json_in(request("{"))["error"], "a request is a JSON object");
  EXPECT_EQ(ask_of("dance")["error"], "unknown command 'dance'");
  EXPECT_EQ(ask({})["error"], "a request is a JSON object");
  EXPECT_EQ(ask(json::object())["error"], "unknown command ''");
  EXPECT_THAT(ask({{"command", 5}})["error"], HasSubstr("the request does not read: "));
  EXPECT_THAT(ask({{"command", "bundle"}, {"name", 5}})["error"],
              HasSubstr("the request does not read: "));
}

TEST_F(ControlServiceTest, TheNextRequestIsWaitedForButWatchersGetEvents) {
  EXPECT_EQ(request(R"({"command":"status"})").then, Answer::Then::kServe);
  const Answer watching = request(R"({"command":"watch"})", kStranger);
  EXPECT_EQ(watching.then, Answer::Then::kWatch);
  EXPECT_EQ(json_in(watching)["event"], "policy");
  EXPECT_EQ(json_in(watching)["generation"], 3);
}

TEST_F(ControlServiceTest, AnyoneIsToldOfTheBroker) {
  say_hello("work");
  const json status = ask_of("status", kStranger);
  EXPECT_EQ(status["generation"], 3);
  EXPECT_EQ(status["sessions"], 1);
  EXPECT_EQ(status["profiles"].size(), 2u);
  EXPECT_EQ(ask_of("paths", kStranger)["entries"], json::array());
  EXPECT_EQ(ask({{"command", "bundle"}, {"name", "some"}}, kStranger)["known"], false);
  EXPECT_TRUE(ask_of("doctor", kStranger).contains("healthy"));
}

TEST_F(ControlServiceTest, OthersProgramsAreNotListed) {
  say_hello("work");
  ASSERT_EQ(ask_of("ps")["programs"].size(), 1u);
  EXPECT_EQ(ask_of("ps")["programs"][0]["pid"], getpid());
  EXPECT_EQ(ask_of("ps", kStranger)["programs"], json::array());
}

TEST_F(ControlServiceTest, OnesOwnProgramIsMoved) {
  say_hello("work");
  const json moved = ask({{"command", "move"}, {"pid", getpid()}, {"profile", "play"}});
  EXPECT_EQ(moved, (json{{"ok", true}, {"pid", getpid()}, {"from", "work"}, {"profile", "play"}}));
  EXPECT_EQ(sessions.find(getpid())->assignment.origin, Origin::kMoved);
  EXPECT_THAT(
      ask({{"command", "move"}, {"pid", getpid()}, {"profile", "work"}}, kStranger)["error"],
      HasSubstr("no program of yours"));
  EXPECT_EQ(sessions.find(getpid())->assignment.profile, "play");
}

TEST_F(ControlServiceTest, OnlyAdministratorsReload) {
  EXPECT_EQ(ask_of("reload", kStranger)["error"], "only root and the broker's own user may reload");
  EXPECT_CALL(policy_control, reload())
      .Times(2)
      .WillOnce([&] { ++state.policy_generation; })
      .WillOnce([&] { state.last_reload.errors = {"px.yaml:1:1: bad"}; });
  EXPECT_EQ(ask_of("reload"),
            (json{{"ok", true}, {"generation", 4}, {"profiles", 2}, {"warnings", json::array()}}));
  EXPECT_EQ(ask_of("reload"), (json{{"ok", false}, {"errors", {"px.yaml:1:1: bad"}}}));
}

TEST_F(ControlServiceTest, OnlyAdministratorsAddRouters) {
  in_force.snapshot.networks = {{"eth0", *bundle::address_from_text("192.0.2.0"), 96 + 24}};
  json question{{"command", "router"}, {"action", "add"}, {"router", "192.0.2.9"}};
  EXPECT_EQ(ask(question, kStranger)["error"],
            "only root and the broker's own user may add or delete routers");
  EXPECT_CALL(policy_control, use_added_routers())
      .WillOnce(Return(Expected<void>()))
      .WillOnce(Return(fail("the kernel cannot be read")));
  EXPECT_EQ(
      ask(question),
      (json{{"ok", true}, {"action", "add"}, {"router", "192.0.2.9"}, {"interfaces", {"eth0"}}}));
  EXPECT_TRUE(ask(question).contains("error")) << "it is there already";
  question["action"] = "delete";
  EXPECT_EQ(ask(question)["error"], "the kernel cannot be read");
  EXPECT_TRUE(routers.all().empty());
  question["action"] = "paint";
  EXPECT_EQ(ask(question)["error"], "unknown action 'paint'; expected add or delete");
}

TEST_F(ControlServiceTest, ExplainTellsOfOnesOwnProgram) {
  say_hello("work");
  json question{{"command", "explain"}, {"destination", "192.0.2.9"}, {"pid", getpid()}};
  EXPECT_EQ(ask(question)["profile"], "work");
  EXPECT_EQ(ask(question)["profile_from"], "session");
  EXPECT_EQ(ask(question, kStranger)["profile"], "play");
  EXPECT_EQ(ask(question, kStranger)["profile_from"], "default-profile");
  question["profile"] = "work";
  EXPECT_EQ(ask(question, kStranger)["profile_from"], "request");
  question["destination"] = "nowhere";
  EXPECT_EQ(ask(question)["error"], "'nowhere' is not an address");
}

}  // namespace
}  // namespace px::broker
