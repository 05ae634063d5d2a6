// SPDX-License-Identifier: MIT
#include "preload/session/lookup_request.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <filesystem>
#include <functional>
#include <thread>
#include <vector>

#include "plan/wire.h"
#include "preload/process/clock.h"

namespace px::shim {
namespace {

// A broker of one connection after another, each served as the test says.
class LookupRequestTest : public testing::Test {
 protected:
  static long descriptors() {
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return std::distance(begin(all), end(all));
  }

  LookupRequestTest() {
    char directory[] = "/tmp/px-lookup-XXXXXX";
    directory_ = ::mkdtemp(directory);
    plan::fill_text(settings_.socket_path, (directory_ / "px.sock").native());
    lookup_.types[0] = 1;
    lookup_.name_length = 1;
  }
  ~LookupRequestTest() override {
    if (broker_.joinable()) broker_.join();
    std::filesystem::remove_all(directory_);
  }

  void serve(std::vector<std::function<void(int)>> connections) {
    const int listener = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    plan::fill_text(address.sun_path, settings_.socket_path.data());
    ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(::listen(listener, 8), 0);
    broker_ = std::thread([listener, connections = std::move(connections)] {
      for (const auto& serves : connections) {
        const int client = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
        plan::Lookup lookup{};
        EXPECT_EQ(::recv(client, &lookup, sizeof lookup, 0), ssize_t{sizeof lookup});
        serves(client);
        ::close(client);
      }
      ::close(listener);
    });
  }
  template <typename Message>
  static void send(int client, const Message& message) {
    EXPECT_EQ(::send(client, &message, sizeof message, 0), ssize_t{sizeof message});
  }
  static plan::LookupAnswer part(std::uint32_t length, std::uint32_t offset = 0) {
    auto answer = plan::make<plan::LookupAnswer>();
    answer.outcome = plan::LookupOutcome::kAnswered;
    answer.lengths[0] = length;
    answer.offset = offset;
    std::memset(answer.bytes, static_cast<int>(offset / plan::LookupAnswer::kPart) + 1,
                sizeof answer.bytes);
    return answer;
  }
  bool request(std::int64_t patience_ms = 20'000) {
    return request_lookup(settings_, {}, lookup_, monotonic_ms() + patience_ms, &reply_);
  }

  std::filesystem::path directory_;
  Settings settings_;
  plan::Lookup lookup_ = plan::make<plan::Lookup>();
  LookupReply reply_;
  std::thread broker_;
};

TEST_F(LookupRequestTest, AnAnswerOfOnePacket) {
  serve({[](int client) { send(client, part(100)); }});
  ASSERT_TRUE(request());
  EXPECT_EQ(reply_.outcome(), plan::LookupOutcome::kAnswered);
  EXPECT_EQ(reply_.packet(0).size(), 100u);
  EXPECT_EQ(reply_.packet(1).size(), 0u);
}

TEST_F(LookupRequestTest, AnAnswerOfMany) {
  serve({[](int client) {
    for (std::uint32_t offset = 0; offset < 9000; offset += plan::LookupAnswer::kPart) {
      send(client, part(9000, offset));
    }
  }});
  ASSERT_TRUE(request());
  ASSERT_EQ(reply_.packet(0).size(), 9000u);
  EXPECT_EQ(std::to_integer<int>(reply_.packet(0)[plan::LookupAnswer::kPart - 1]), 1);
  EXPECT_EQ(std::to_integer<int>(reply_.packet(0)[plan::LookupAnswer::kPart]), 2);
}

TEST_F(LookupRequestTest, WhatDoesNotGoOnIsRefused) {
  serve({[](int client) {
    send(client, part(9000));
    send(client, part(9000, 2 * plan::LookupAnswer::kPart));
  }});
  EXPECT_FALSE(request());
  EXPECT_EQ(reply_.outcome(), plan::LookupOutcome::kTryAgain);
}

TEST_F(LookupRequestTest, ARefusalIsNotAskedAgain) {
  serve({[](int client) {
    auto refusal = plan::make<plan::Refusal>();
    refusal.code = plan::RefusalCode::kNotAllowed;
    send(client, refusal);
  }});
  EXPECT_FALSE(request());
}

TEST_F(LookupRequestTest, ABrokerThatDiesIsAskedAgainWhenItIsBack) {
  serve({[](int) {}, [](int) {}, [](int client) { send(client, part(10)); }});
  EXPECT_TRUE(request());
}

TEST_F(LookupRequestTest, WithoutABrokerItEndsInTime) {
  const std::int64_t before = monotonic_ms();
  EXPECT_FALSE(request(300));
  EXPECT_GE(monotonic_ms() - before, 300);
}

TEST_F(LookupRequestTest, WhoHasMoreToAskMayWaitLater) {
  serve({[](int client) { send(client, part(100)); }, [](int) {}});
  const std::int64_t deadline = monotonic_ms() + 20'000;
  const int first = begin_lookup(settings_, {}, lookup_, deadline);
  const int second = begin_lookup(settings_, {}, lookup_, deadline);
  ASSERT_GE(first, 0);
  ASSERT_GE(second, 0);
  EXPECT_TRUE(finish_lookup(first, deadline, &reply_));
  EXPECT_EQ(reply_.packet(0).size(), 100u);
  LookupReply none;
  EXPECT_FALSE(finish_lookup(second, deadline, &none));
  EXPECT_EQ(none.outcome(), plan::LookupOutcome::kTryAgain);
  broker_.join();
  EXPECT_EQ(begin_lookup(settings_, {}, lookup_, monotonic_ms() + 100), -1);
}

TEST_F(LookupRequestTest, UnderAFilterOfSystemCallsNobodyIsAsked) {
  set_filtered(&settings_);
  EXPECT_FALSE(request());
  EXPECT_EQ(begin_lookup(settings_, {}, lookup_, monotonic_ms() + 20'000), -1);
}

// AddressSanitizer takes the unwinding of a cancelled thread for a fault: frames that it leaves
// stay poisoned.
#ifndef __SANITIZE_ADDRESS__
TEST_F(LookupRequestTest, ACancelledThreadLeavesNothingOpen) {
  std::atomic<bool> asked = false;
  std::atomic<bool> cancelled = false;
  serve({[&](int) {
    asked = true;
    while (!cancelled) std::this_thread::yield();
  }});
  const long before = descriptors();  // the listener among them
  pthread_t thread{};
  struct Wish {
    Settings& settings;
    plan::Lookup& lookup;
    LookupReply& reply;
  } wish{settings_, lookup_, reply_};
  const auto run = [](void* argument) -> void* {
    const auto& asked = *static_cast<Wish*>(argument);
    (void)request_lookup(asked.settings, {}, asked.lookup, monotonic_ms() + 20'000, &asked.reply);
    return nullptr;
  };
  ASSERT_EQ(::pthread_create(&thread, nullptr, run, &wish), 0);
  while (!asked) std::this_thread::yield();
  EXPECT_EQ(::pthread_cancel(thread), 0);
  void* result = nullptr;
  EXPECT_EQ(::pthread_join(thread, &result), 0);
  EXPECT_EQ(result, PTHREAD_CANCELED);
  cancelled = true;
  broker_.join();
  EXPECT_EQ(descriptors(), before - 1) << "the broker's listener is closed by now";
}
#endif

}  // namespace
}  // namespace px::shim
