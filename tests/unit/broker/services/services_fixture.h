// SPDX-License-Identifier: MIT
// What services answer from, without a kernel to change: a policy that is published below a
// directory of its own, and a session table. This process is the peer.
#pragma once

#include <gtest/gtest.h>
#include <sys/syscall.h>

#include <asio/io_context.hpp>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "broker/descriptors/descriptors.h"
#include "broker/identity/network_namespace.h"
#include "broker/publish/in_force.h"
#include "broker/publish/publisher.h"
#include "broker/routing/routing.h"
#include "broker/sessions/dispatcher.h"
#include "broker/sessions/profile_assignments.h"
#include "broker/sessions/session_table.h"
#include "tests/unit/support/passed_descriptors.h"
#include "tests/unit/support/temporary_files.h"

namespace px::broker::test {

inline constexpr uid_t kStranger = 54321;

inline Peer this_process(uid_t uid = getuid()) {
  return {getpid(), uid, Fd(static_cast<int>(syscall(SYS_pidfd_open, getpid(), 0)))};
}

// The message in an answer's first packet.
template <typename Message>
Message answered(const Answer& answer) {
  Message message{};
  EXPECT_EQ(answer.packets.size(), 1u);
  if (answer.packets.empty()) return message;
  EXPECT_EQ(answer.packets.front().size(), sizeof message);
  std::memcpy(&message, answer.packets.front().data(),
              std::min(sizeof message, answer.packets.front().size()));
  return message;
}

inline plan::MessageType type_of(const Answer& answer) {
  const auto header =
      answer.packets.empty() ? std::nullopt : plan::parse_header(answer.packets.front());
  return header ? header->type : plan::MessageType{};
}

inline std::string reason_of(const Answer& answer, plan::RefusalCode code) {
  const auto refusal =
      answer.packets.empty() ? std::nullopt : plan::parse<plan::Refusal>(answer.packets.front());
  if (!refusal || refusal->code != code) return "not refused so";
  EXPECT_EQ(answer.then, Answer::Then::kClose);
  return refusal->reason;
}

class ServicesTest : public testing::Test {
 protected:
  ServicesTest()
      : publisher(*Publisher::open(directory)), routing(*Routing::open(directory, false)) {}

  void publish(const std::string& text, const Marks& marks = {}) {
    auto policy = parse_policy("version: 1\n" + text, "px.yaml");
    ASSERT_TRUE(policy);
    in_force.policy = std::move(*policy);
    ASSERT_TRUE(publisher.publish(in_force.policy, in_force.snapshot, marks));
  }

  void say_hello(const std::string& profile, Origin origin = Origin::kEnvironment) {
    ASSERT_TRUE(sessions.hello(this_process(), {profile, origin, profile}, {}));
  }

  template <typename Message>
  Answer send(const Message& message, const Fd& descriptor = Fd(),
              const Peer& peer = this_process()) {
    const auto packet = std::as_bytes(std::span(&message, 1));
    if (!descriptor) return dispatcher.dispatch(peer, packet);
    std::optional<Answer> answer;
    dispatcher.dispatch(peer, packet,
                        descriptors.brought(peer.uid, connection_with(packet, descriptor, context)),
                        [&](Answer given) { answer = std::move(given); });
    while (!answer && context.run_one_for(std::chrono::seconds(20)) != 0) {
    }
    EXPECT_TRUE(answer) << "no answer in time";
    return answer ? std::move(*answer) : no_answer();
  }

  TemporaryFiles files;
  const std::filesystem::path& directory = files.directory();
  asio::io_context context;
  InForce in_force;
  Publisher publisher;
  Routing routing;
  SessionTable sessions{context, {100, 100}, [](const Session&, SessionTable::Change) {}};
  ProfileAssignments assignments{in_force.policy, sessions, publisher};
  Dispatcher dispatcher;
  Descriptors descriptors{context};
  NetworkNamespace here{7};
};

}  // namespace px::broker::test
