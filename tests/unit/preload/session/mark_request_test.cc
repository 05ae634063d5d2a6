// SPDX-License-Identifier: MIT
#include "preload/session/mark_request.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <thread>

#include "tests/unit/preload/shim_fixture.h"

namespace px::shim {
namespace {

ino_t inode_of(int fd) {
  struct stat status {};
  EXPECT_EQ(::fstat(fd, &status), 0);
  return status.st_ino;
}

// A broker of one connection: takes a mark request with its descriptor, then answers.
class MarkRequestTest : public testing::Test {
 protected:
  MarkRequestTest() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    char directory[] = "/tmp/px-mark-XXXXXX";
    directory_ = ::mkdtemp(directory);
    plan::fill_text(settings_.socket_path, (directory_ / "px.sock").native());
  }
  ~MarkRequestTest() override {
    if (broker_.joinable()) broker_.join();
    ::close(socket_);
    std::filesystem::remove_all(directory_);
  }

  void serve(std::function<void(int)> answer) {
    const int listener = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    plan::fill_text(address.sun_path, settings_.socket_path.data());
    ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(::listen(listener, 1), 0);
    broker_ = std::thread([this, listener, answer = std::move(answer)] {
      const int client = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
      take(client);
      answer(client);
      ::close(client);
      ::close(listener);
    });
  }

  Acknowledgement request(std::uint32_t mark) {
    const auto before = descriptors();
    const Acknowledgement answer = request_mark(settings_, {}, socket_, mark);
    if (broker_.joinable()) broker_.join();
    EXPECT_LE(descriptors(), before);  // the listener is the test's
    return answer;
  }

  static long descriptors() {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
  }

  std::optional<plan::Mark> request_;
  ino_t sent_ = 0;
  int socket_;
  Settings settings_ = test_settings();

 private:
  void take(int client) {
    std::byte packet[256];
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    iovec buffer{packet, sizeof packet};
    msghdr message{};
    message.msg_iov = &buffer;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const ssize_t size = ::recvmsg(client, &message, MSG_CMSG_CLOEXEC);
    ASSERT_GT(size, 0);
    request_ = plan::parse<plan::Mark>(std::span(packet, static_cast<std::size_t>(size)));
    const cmsghdr* header = CMSG_FIRSTHDR(&message);
    ASSERT_NE(header, nullptr);
    int descriptor = -1;
    std::memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
    sent_ = inode_of(descriptor);
    ::close(descriptor);
  }

  std::filesystem::path directory_;
  std::thread broker_;
};

TEST_F(MarkRequestTest, TheBrokerGetsTheSocketAndTheMark) {
  serve([](int client) {
    const auto marked = plan::header_of(plan::MessageType::kMarked, sizeof(plan::MessageHeader));
    EXPECT_EQ(::send(client, &marked, sizeof marked, MSG_NOSIGNAL),
              static_cast<ssize_t>(sizeof marked));
  });
  EXPECT_TRUE(request(0x03000000).done);
  ASSERT_TRUE(request_);
  EXPECT_EQ(request_->mark, 0x03000000u);
  EXPECT_EQ(sent_, inode_of(socket_));
}

TEST_F(MarkRequestTest, ARefusalBringsItsReason) {
  serve([](int client) {
    auto refusal = plan::make<plan::Refusal>();
    refusal.code = plan::RefusalCode::kNotAllowed;
    plan::fill_text(refusal.reason, "not yours");
    EXPECT_EQ(::send(client, &refusal, sizeof refusal, MSG_NOSIGNAL),
              static_cast<ssize_t>(sizeof refusal));
  });
  const Acknowledgement answer = request(1);
  EXPECT_FALSE(answer.done);
  EXPECT_STREQ(answer.reason.data(), "not yours");
}

TEST_F(MarkRequestTest, NoAnswerIsNoMark) {
  serve([](int) {});
  const Acknowledgement answer = request(1);
  EXPECT_FALSE(answer.done);
  EXPECT_STREQ(answer.reason.data(), "");
}

TEST_F(MarkRequestTest, NobodyThereIsNoMark) {
  EXPECT_FALSE(request(1).done);
}

TEST_F(MarkRequestTest, AStrangeAnswerIsNoMark) {
  serve([](int client) {
    const auto other = plan::header_of(plan::MessageType::kLaunched, sizeof(plan::MessageHeader));
    EXPECT_EQ(::send(client, &other, sizeof other, MSG_NOSIGNAL),
              static_cast<ssize_t>(sizeof other));
  });
  EXPECT_FALSE(request(1).done);
}

}  // namespace
}  // namespace px::shim
