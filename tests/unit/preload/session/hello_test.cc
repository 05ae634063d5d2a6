// SPDX-License-Identifier: MIT
#include "preload/session/hello.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "plan/second_socket.h"
#include "preload/process/clock.h"
#include "preload/session/broker_connection.h"
#include "tests/unit/preload/shim_fixture.h"

namespace px::shim {
namespace {

constexpr std::uint64_t kInstance = 42;

// A broker of one connection: takes a hello, then does as it was told.
class HelloTest : public testing::Test {
 protected:
  HelloTest() {
    char directory[] = "/tmp/px-hello-XXXXXX";
    directory_ = ::mkdtemp(directory);
    path_ = directory_ / "px.sock";
    plan::fill_text(settings_.socket_path, path_.native());
    listener_ = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  }
  ~HelloTest() override {
    ::close(listener_);
    if (broker_.joinable()) broker_.join();
    std::filesystem::remove_all(directory_);
  }

  void listen(int backlog) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    plan::fill_text(address.sun_path, path_.native());
    ASSERT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(::listen(listener_, backlog), 0);
  }

  void serve(std::function<void(int)> answer) {
    listen(8);
    broker_ = std::thread([this, answer = std::move(answer)] {
      const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      std::vector<std::byte> packet(plan::kLargestMessage);
      alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
      iovec buffer{packet.data(), packet.size()};
      msghdr message{};
      message.msg_iov = &buffer;
      message.msg_iovlen = 1;
      message.msg_control = control;
      message.msg_controllen = sizeof control;
      const ssize_t size = ::recvmsg(client, &message, 0);
      packet.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
      if (const cmsghdr* header = CMSG_FIRSTHDR(&message)) {
        int fd = -1;
        std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
        executable_ = std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd));
        ::close(fd);
      }
      hello_ = plan::parse<plan::Hello>(packet);
      answer(client);
      ::close(client);
    });
  }

  // Sends a packet with copies of one descriptor.
  static void send(int client, const void* data, std::size_t size, std::size_t fds = 0) {
    alignas(cmsghdr) char control[CMSG_SPACE(8 * sizeof(int))] = {};
    iovec buffer{const_cast<void*>(data), size};
    msghdr message{};
    message.msg_iov = &buffer;
    message.msg_iovlen = 1;
    if (fds > 0) {
      message.msg_control = control;
      message.msg_controllen = CMSG_SPACE(fds * sizeof(int));
      cmsghdr* header = CMSG_FIRSTHDR(&message);
      header->cmsg_level = SOL_SOCKET;
      header->cmsg_type = SCM_RIGHTS;
      header->cmsg_len = CMSG_LEN(fds * sizeof(int));
      const std::vector<int> same(fds, STDERR_FILENO);
      std::memcpy(CMSG_DATA(header), same.data(), fds * sizeof(int));
    }
    EXPECT_EQ(::sendmsg(client, &message, MSG_NOSIGNAL), static_cast<ssize_t>(size));
  }
  static plan::Welcome welcome() {
    auto welcome = plan::make<plan::Welcome>();
    welcome.recheck = 5;
    welcome.broker_instance = kInstance;
    plan::fill_text(welcome.profile, "given");
    return welcome;
  }

  // Says hello; nothing may be left open but what came with a welcome.
  HelloAnswer hello() {
    const auto before = descriptors();
    const auto start = std::chrono::steady_clock::now();
    const HelloAnswer answer = say_hello(settings_, {.profile = settings_.profile.data()});
    took_ = std::chrono::steady_clock::now() - start;
    if (broker_.joinable()) broker_.join();
    const int kept = answer.outcome == HelloOutcome::kWelcome ? 2 : 0;
    EXPECT_EQ(descriptors(), before + kept);
    return answer;
  }
  static long descriptors() {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
  }

  std::filesystem::path directory_;
  std::filesystem::path path_;
  Settings settings_ = test_settings();
  int listener_ = -1;
  std::thread broker_;
  std::optional<plan::Hello> hello_;
  std::filesystem::path executable_;  // that came with it
  std::chrono::steady_clock::duration took_{};
};

TEST_F(HelloTest, BringsTheTwoDescriptorsOfAWelcome) {
  serve([](int client) {
    const auto message = welcome();
    send(client, &message, sizeof message, 2);
  });
  const auto answer = say_hello(settings_, {.profile = settings_.profile.data()});
  broker_.join();
  ASSERT_EQ(answer.outcome, HelloOutcome::kWelcome);
  EXPECT_EQ(answer.broker_instance, kInstance);
  EXPECT_STREQ(answer.profile.data(), "given");
  EXPECT_EQ(answer.recheck, 5u);
  for (const int fd : {answer.plan_fd, answer.counters_fd}) {
    EXPECT_EQ(::fcntl(fd, F_GETFD), FD_CLOEXEC);
    EXPECT_EQ(::close(fd), 0);
  }
  ASSERT_TRUE(hello_);
  EXPECT_STREQ(hello_->profile, "test");
  EXPECT_EQ(hello_->layout_version, plan::kLayoutVersion);
  EXPECT_EQ(executable_, std::filesystem::read_symlink("/proc/self/exe"));
  std::uint64_t cookie = 0;
  socklen_t length = sizeof cookie;
  if (::getsockopt(listener_, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &length) == 0) {
    EXPECT_EQ(hello_->network_namespace, cookie);
  }
}

TEST_F(HelloTest, BringsARefusalsReason) {
  serve([](int client) {
    auto refusal = plan::make<plan::Refusal>();
    refusal.code = plan::RefusalCode::kNoSuchProfile;
    plan::fill_text(refusal.reason, "no such");
    send(client, &refusal, sizeof refusal);
  });
  const auto answer = hello();
  EXPECT_EQ(answer.outcome, HelloOutcome::kRefusal);
  EXPECT_STREQ(answer.reason.data(), "no such");
}

TEST_F(HelloTest, ABrokerWithoutAPlaceSaysSo) {
  serve([](int client) {
    auto refusal = plan::make<plan::Refusal>();
    refusal.code = plan::RefusalCode::kQuota;
    plan::fill_text(refusal.reason, "too many");
    send(client, &refusal, sizeof refusal);
  });
  const auto answer = hello();
  EXPECT_EQ(answer.outcome, HelloOutcome::kNoPlace);
  EXPECT_STREQ(answer.reason.data(), "too many");
}

TEST_F(HelloTest, ABusyBrokerIsAskedAgain) {
  listen(8);
  broker_ = std::thread([this] {
    auto busy = plan::make<plan::Refusal>();
    busy.code = plan::RefusalCode::kBusy;
    const auto message = welcome();
    for (int i = 0; i < 3; ++i) {
      const int client = ::accept(listener_, nullptr, nullptr);
      if (i < 2) send(client, &busy, sizeof busy);
      if (i == 2) send(client, &message, sizeof message, 2);
      ::close(client);
    }
  });
  const auto answer = hello();
  EXPECT_EQ(answer.outcome, HelloOutcome::kWelcome);
  ::close(answer.plan_fd);
  ::close(answer.counters_fd);
}

TEST_F(HelloTest, ABrokerThatHangsUpOnceIsAskedAgain) {
  listen(8);
  broker_ = std::thread([this] {
    ::close(::accept(listener_, nullptr, nullptr));
    const auto message = welcome();
    const int client = ::accept(listener_, nullptr, nullptr);
    send(client, &message, sizeof message, 2);
    ::close(client);
  });
  const auto answer = hello();
  EXPECT_EQ(answer.outcome, HelloOutcome::kWelcome);
  ::close(answer.plan_fd);
  ::close(answer.counters_fd);
}

// Whether or not there is time for an answer to the last attempt.
TEST_F(HelloTest, ABrokerThatStaysBusyIsLeftForThatReason) {
  settings_.deadline_ms = 1000;
  listen(8);
  broker_ = std::thread([this] {
    auto busy = plan::make<plan::Refusal>();
    busy.code = plan::RefusalCode::kBusy;
    plan::fill_text(busy.reason, "too many at a time");
    for (int client = 0; (client = ::accept(listener_, nullptr, nullptr)) >= 0; ::close(client))
      (void)::send(client, &busy, sizeof busy, MSG_NOSIGNAL);
  });
  const HelloAnswer answer = say_hello(settings_, {.profile = settings_.profile.data()});
  ::shutdown(listener_, SHUT_RDWR);
  EXPECT_EQ(answer.outcome, HelloOutcome::kBusy);
  EXPECT_STREQ(answer.reason.data(), "too many at a time");
}

TEST_F(HelloTest, NoPauseGoesBeyondTheDeadline) {
  EXPECT_FALSE(Pauses(monotonic_ms() + 10).before_trying_again(true, false));
  EXPECT_TRUE(Pauses(monotonic_ms() + 60'000).before_trying_again(true, false));
}

// With a packet of the client's unread, the kernel says ECONNRESET ahead of it; without, EPIPE.
TEST_F(HelloTest, ARefusalIsReadWhereTheBrokerHasClosed) {
  listen(8);
  for (const bool sends_before : {false, true}) {
    BrokerConnection connection(monotonic_ms() + settings_.deadline_ms);
    ASSERT_EQ(connection.connect(settings_), 0);
    const std::byte word[1]{};
    if (sends_before) {
      ASSERT_TRUE(connection.send(word));
    }
    const int client = ::accept(listener_, nullptr, nullptr);
    const auto refusal = plan::make<plan::Refusal>();
    send(client, &refusal, sizeof refusal);
    ::close(client);
    if (!sends_before) {
      EXPECT_TRUE(connection.send(word));
    }
    std::array<std::byte, sizeof refusal> packet;
    iovec buffer{.iov_base = packet.data(), .iov_len = packet.size()};
    msghdr received{};
    received.msg_iov = &buffer;
    received.msg_iovlen = 1;
    EXPECT_EQ(connection.receive(&received), sizeof refusal) << sends_before;
    EXPECT_EQ(connection.receive(&received), 0u) << "nothing more";
  }
}

TEST_F(HelloTest, NobodyThere) {
  const auto answer = hello();
  EXPECT_EQ(answer.outcome, HelloOutcome::kUnreachable);
  EXPECT_EQ(answer.error, ENOENT);
  EXPECT_LT(took_, std::chrono::milliseconds(settings_.deadline_ms));
}

// The second socket of the broker kInstance.
class SecondSocketTest : public HelloTest {
 protected:
  void listen_there() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const auto name = plan::second_socket_name(kInstance);
    std::memcpy(address.sun_path + 1, name.data(), name.size());
    const auto length = offsetof(sockaddr_un, sun_path) + 1 + name.size();
    ASSERT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), length), 0);
    ASSERT_EQ(::listen(listener_, 8), 0);
  }
};

TEST_F(SecondSocketTest, IsAskedWhereThePathLeadsNowhere) {
  listen_there();
  BrokerConnection connection(monotonic_ms() + settings_.deadline_ms);
  EXPECT_EQ(connection.connect(settings_, {kInstance, ::geteuid()}), 0);
}

TEST_F(SecondSocketTest, IsNotTakenFromAnotherUser) {
  listen_there();
  BrokerConnection connection(monotonic_ms() + settings_.deadline_ms);
  EXPECT_EQ(connection.connect(settings_, {kInstance, ::geteuid() + 1}), ECONNREFUSED);
}

TEST_F(SecondSocketTest, AnotherBrokersIsNotAsked) {
  listen_there();
  BrokerConnection connection(monotonic_ms() + settings_.deadline_ms);
  EXPECT_EQ(connection.connect(settings_, {kInstance + 1, ::geteuid()}), ECONNREFUSED);
}

TEST_F(SecondSocketTest, IsNotAskedWhereNoneIsKnown) {
  BrokerConnection connection(monotonic_ms() + settings_.deadline_ms);
  EXPECT_EQ(connection.connect(settings_), ENOENT);
}

TEST_F(HelloTest, ABrokerThatHangsUp) {
  listen(8);
  broker_ = std::thread([this] {
    for (int i = 0; i < 5; ++i) ::close(::accept(listener_, nullptr, nullptr));
  });
  EXPECT_EQ(hello().outcome, HelloOutcome::kHungUp);
  EXPECT_LT(took_, std::chrono::milliseconds(settings_.deadline_ms));
}

TEST_F(HelloTest, ABrokerThatNeverAnswersIsLeftAtTheDeadline) {
  settings_.deadline_ms = 500;
  listen(8);
  EXPECT_EQ(hello().outcome, HelloOutcome::kNoAnswer);
  EXPECT_GE(took_, std::chrono::milliseconds(settings_.deadline_ms - 100));
  EXPECT_LT(took_, std::chrono::milliseconds(settings_.deadline_ms + 1000));
}

TEST_F(HelloTest, WhatIsThereIsTakenAfterTheDeadline) {
  settings_.deadline_ms = 0;
  listen(8);
  BrokerConnection connection(monotonic_ms());
  ASSERT_EQ(connection.connect(settings_), 0);
  const int client = ::accept(listener_, nullptr, nullptr);
  const auto message = welcome();
  send(client, &message, sizeof message);
  std::array<std::byte, sizeof message> packet;
  iovec buffer{.iov_base = packet.data(), .iov_len = packet.size()};
  msghdr received{};
  received.msg_iov = &buffer;
  received.msg_iovlen = 1;
  EXPECT_EQ(connection.receive(&received), sizeof message);
  ::close(client);
}

TEST_F(HelloTest, AFullBacklogIsLeftAtTheDeadline) {
  settings_.deadline_ms = 500;
  listen(0);
  std::vector<int> waiting;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  plan::fill_text(address.sun_path, path_.native());
  int result = 0;
  while (result == 0) {
    waiting.push_back(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    result = ::connect(waiting.back(), reinterpret_cast<sockaddr*>(&address), sizeof address);
  }
  ASSERT_EQ(errno, EAGAIN);
  EXPECT_EQ(hello().outcome, HelloOutcome::kNoAnswer);
  EXPECT_GE(took_, std::chrono::milliseconds(settings_.deadline_ms - 100));
  EXPECT_LT(took_, std::chrono::milliseconds(settings_.deadline_ms + 1000));
  for (const int fd : waiting) ::close(fd);
}

TEST_F(HelloTest, AWelcomeWithTooFewDescriptors) {
  serve([](int client) {
    const auto message = welcome();
    send(client, &message, sizeof message, 1);
  });
  EXPECT_EQ(hello().outcome, HelloOutcome::kStrangeAnswer);
}

TEST_F(HelloTest, AWelcomeWithoutAProfileBringsNothing) {
  serve([](int client) {
    auto message = welcome();
    plan::fill_text(message.profile, "");
    send(client, &message, sizeof message);
  });
  EXPECT_EQ(hello().outcome, HelloOutcome::kNoProfile);
}

TEST_F(HelloTest, AWelcomeWithMoreDescriptorsLeavesNoneOfThemOpen) {
  serve([](int client) {
    const auto message = welcome();
    send(client, &message, sizeof message, 8);
  });
  const auto answer = hello();
  ::close(answer.plan_fd);
  ::close(answer.counters_fd);
}

TEST_F(HelloTest, WhatIsNoAnswerAtAll) {
  serve([](int client) {
    const std::vector<char> noise(plan::kLargestMessage, 'x');
    send(client, noise.data(), noise.size(), 2);
  });
  EXPECT_EQ(hello().outcome, HelloOutcome::kStrangeAnswer);
}

}  // namespace
}  // namespace px::shim
