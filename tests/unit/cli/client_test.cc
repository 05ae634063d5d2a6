// SPDX-License-Identifier: MIT
// The asking side of docs/protocol.md against a broker of the test's own.
#include "cli/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <functional>
#include <nlohmann/json.hpp>
#include <string_view>
#include <thread>

#include "tests/unit/support/temporary_files.h"

namespace px::cli {
namespace {

using nlohmann::json;
using plan::MessageType;
using testing::HasSubstr;

std::string packet(MessageType type, std::string_view text, std::uint16_t flags = 0) {
  const auto header = plan::header_of(type, sizeof(plan::MessageHeader) + text.size(), flags);
  return std::string(reinterpret_cast<const char*>(&header), sizeof header) + std::string(text);
}

std::string refusal(plan::RefusalCode code, std::string_view reason) {
  auto message = plan::make<plan::Refusal>();
  message.code = code;
  plan::fill_text(message.reason, reason);
  return {reinterpret_cast<const char*>(&message), sizeof message};
}

Fd listener_at(const std::string& path) {
  Fd listener(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, path.c_str());
  EXPECT_EQ(bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(listen(listener.get(), 1), 0);
  return listener;
}

// Takes one connection and one packet, then sends what it was told to and closes.
class OneAnswer {
 public:
  OneAnswer(const std::string& path, std::vector<std::string> packets, bool read_first = true)
      : listener_(listener_at(path)) {
    thread_ = std::thread([this, packets = std::move(packets), read_first] {
      const Fd client(accept(listener_.get(), nullptr, nullptr));
      char buffer[4096];
      if (read_first) {
        const ssize_t size = recv(client.get(), buffer, sizeof buffer, 0);
        if (size > 0) received_.assign(buffer, static_cast<std::size_t>(size));
      }
      for (const std::string& each : packets)
        (void)send(client.get(), each.data(), each.size(), MSG_NOSIGNAL);
    });
  }
  ~OneAnswer() { join(); }

  // What was received, once all is done.
  const std::string& join() {
    if (thread_.joinable()) thread_.join();
    return received_;
  }

 private:
  Fd listener_;
  std::thread thread_;
  std::string received_;
};

class ClientOf : public testing::Test {
 protected:
  [[nodiscard]] std::string socket() const { return files_.path("px.sock"); }
  [[nodiscard]] Expected<json> ask() const {
    auto client = Client::connect(socket());
    EXPECT_TRUE(client);
    return client->ask({{"command", "ps"}});
  }

  TemporaryFiles files_;
};

TEST_F(ClientOf, PutsLongRepliesTogether) {
  OneAnswer broker(socket(), {packet(MessageType::kReply, R"({"a":[1,)", plan::kMoreFollows),
                              packet(MessageType::kReply, "2", plan::kMoreFollows),
                              packet(MessageType::kReply, "]}")});
  const auto reply = ask();
  ASSERT_TRUE(reply);
  EXPECT_EQ(*reply, json::parse(R"({"a":[1,2]})"));
  EXPECT_EQ(broker.join(), packet(MessageType::kRequest, R"({"command":"ps"})"));
}

TEST_F(ClientOf, WhatIsNoReplyIsAnError) {
  for (const std::string& answer :
       {packet(MessageType::kReply, "{"), packet(MessageType::kReply, "[]"),
        packet(MessageType::kRequest, "{}"), packet(MessageType::kLaunched, ""), std::string("odd"),
        std::string()}) {
    const TemporaryFiles files;
    OneAnswer broker(files.path("s"), {answer});
    auto client = Client::connect(files.path("s"));
    ASSERT_TRUE(client);
    EXPECT_FALSE(client->ask({{"command", "ps"}})) << answer;
  }
}

TEST_F(ClientOf, ARefusalIsToldInItsWords) {
  const OneAnswer broker(socket(), {refusal(plan::RefusalCode::kQuota, "too many of you")});
  const auto reply = ask();
  ASSERT_FALSE(reply);
  EXPECT_THAT(reply.error().message, HasSubstr("too many of you"));
}

TEST_F(ClientOf, ARefusalBeforeTheRequestIsTold) {
  OneAnswer broker(socket(), {refusal(plan::RefusalCode::kQuota, "too many of you")}, false);
  auto client = Client::connect(socket());
  ASSERT_TRUE(client);
  broker.join();  // it has closed: sending fails, receiving does not
  const auto reply = client->ask({{"command", "ps"}});
  ASSERT_FALSE(reply);
  EXPECT_THAT(reply.error().message, HasSubstr("too many of you"));
}

TEST_F(ClientOf, SilenceEnds) {
  const Fd listener(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, socket().c_str());
  ASSERT_EQ(bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(listen(listener.get(), 1), 0);
  auto client = Client::connect(socket());
  ASSERT_TRUE(client);
  const auto reply = client->ask({{"command", "ps"}}, Client::Duration(20));
  ASSERT_FALSE(reply);
  EXPECT_THAT(reply.error().message, HasSubstr("does not answer"));
}

TEST_F(ClientOf, LaunchIsWhatTheBrokerParses) {
  OneAnswer broker(socket(), {packet(MessageType::kLaunched, "")});
  auto client = Client::connect(socket());
  ASSERT_TRUE(client);
  const auto launched = client->launch("vpn-split", "it is static");
  ASSERT_TRUE(launched);
  EXPECT_FALSE(*launched);
  const auto launch = plan::parse<plan::Launch>(std::as_bytes(std::span(broker.join())));
  ASSERT_TRUE(launch);
  EXPECT_EQ(launch->coverage, plan::Coverage::kUncovered);
  EXPECT_STREQ(launch->profile, "vpn-split");
  EXPECT_STREQ(launch->why_uncovered, "it is static");
  EXPECT_NE(launch->network_namespace, 0U);
}

TEST_F(ClientOf, LaunchMayBeRefused) {
  const OneAnswer broker(socket(), {refusal(plan::RefusalCode::kNoSuchProfile, "no such")});
  auto client = Client::connect(socket());
  ASSERT_TRUE(client);
  const auto refused = client->launch("p", "");
  ASSERT_TRUE(refused && *refused);
  EXPECT_EQ((*refused)->code, plan::RefusalCode::kNoSuchProfile);
}

TEST_F(ClientOf, LaunchIsSaidAgainToABusyBroker) {
  const Fd listener = listener_at(socket());
  std::jthread broker([&] {
    for (const std::string& answer :
         {refusal(plan::RefusalCode::kBusy, "too many"), packet(MessageType::kLaunched, "")}) {
      const Fd client(accept(listener.get(), nullptr, nullptr));
      (void)send(client.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
    }
  });
  auto client = Client::connect(socket());
  ASSERT_TRUE(client);
  const auto launched = client->launch("p", "");
  ASSERT_TRUE(launched) << launched.error().message;
  EXPECT_FALSE(*launched);
}

TEST_F(ClientOf, EveryPlaceThatWasTriedIsNamed) {
  const auto client = Client::connect_first({{files_.path("a"), files_.path("b")}, false});
  ASSERT_FALSE(client);
  EXPECT_THAT(client.error().message, HasSubstr(files_.path("a") + ": No such file"));
  EXPECT_THAT(client.error().message, HasSubstr(files_.path("b") + ": No such file"));
  EXPECT_FALSE(Client::connect("/" + std::string(200, 'x')));
}

TEST_F(ClientOf, TheFirstThatAnswersIsTaken) {
  const OneAnswer broker(socket(), {packet(MessageType::kReply, "{}")});
  auto client = Client::connect_first({{files_.path("missing"), socket()}, false});
  ASSERT_TRUE(client);
  EXPECT_EQ(client->path(), socket());
  EXPECT_TRUE(client->ask({{"command", "ps"}}));
}

}  // namespace
}  // namespace px::cli
