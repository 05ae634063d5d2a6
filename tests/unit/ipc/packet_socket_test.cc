// SPDX-License-Identifier: MIT
// One end is a PacketSocket, the other a plain socket of the test's.
#include "ipc/packet_socket.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "tests/unit/support/false_event.h"

namespace px::ipc {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kLargest = 100;
constexpr auto kLong = 20s;

PacketSocket::Packet packet_of(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

std::string text_of(const PacketSocket::Packet& packet) {
  return {reinterpret_cast<const char*>(packet.data()), packet.size()};
}

class PacketSocketTest : public testing::Test {
 protected:
  void SetUp() override {
    int ends[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    other_.reset(ends[0]);
    socket_ = std::make_shared<PacketSocket>(context_, Fd(ends[1]), kLargest);
  }

  // Sends from the other end, with this descriptor so many times.
  void send(std::string_view text, int descriptor = -1, std::size_t count = 0) {
    iovec data{const_cast<char*>(text.data()), text.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(4 * sizeof(int))]{};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    if (count != 0) {
      message.msg_control = control;
      message.msg_controllen = CMSG_SPACE(count * sizeof(int));
      cmsghdr* header = CMSG_FIRSTHDR(&message);
      header->cmsg_level = SOL_SOCKET;
      header->cmsg_type = SCM_RIGHTS;
      header->cmsg_len = CMSG_LEN(count * sizeof(int));
      for (std::size_t i = 0; i < count; ++i) {
        std::memcpy(CMSG_DATA(header) + i * sizeof descriptor, &descriptor, sizeof descriptor);
      }
    }
    ASSERT_EQ(sendmsg(other_.get(), &message, MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }

  // What the socket receives until it has got something, or nothing any more.
  std::optional<PacketSocket::Incoming> receive(std::chrono::milliseconds deadline = kLong) {
    std::optional<PacketSocket::Incoming> received;
    socket_->receive(deadline, [&](std::optional<PacketSocket::Incoming> incoming) {
      received = std::move(incoming);
    });
    run();
    return received;
  }

  void run() {
    context_.restart();
    context_.run_for(kLong);
  }

  // The next packet at the other end; empty where none is there.
  std::string taken() {
    char buffer[200];
    const ssize_t length = recv(other_.get(), buffer, sizeof buffer, 0);
    return length <= 0 ? std::string() : std::string(buffer, static_cast<std::size_t>(length));
  }

  asio::io_context context_;
  Fd other_;
  std::shared_ptr<PacketSocket> socket_;
};

TEST_F(PacketSocketTest, ReceivesWholePackets) {
  send("first");
  send(std::string(kLargest, 'x'));
  auto received = receive();
  ASSERT_TRUE(received);
  EXPECT_EQ(text_of(received->packet), "first");
  EXPECT_FALSE(received->with_descriptors);
  received = receive();
  ASSERT_TRUE(received);
  EXPECT_EQ(received->packet.size(), kLargest);
}

TEST_F(PacketSocketTest, TakesNoLongerPacketThanMayBe) {
  send(std::string(kLargest + 1, 'x'));
  EXPECT_FALSE(receive());
}

TEST_F(PacketSocketTest, LeavesAPacketWithDescriptorsInTheQueue) {
  const Fd null(open("/dev/null", O_RDONLY | O_CLOEXEC));
  for (const std::size_t count : {1, 2}) {
    send("some", null.get(), count);
    for (int i = 0; i < 2; ++i) {
      const auto received = receive();
      ASSERT_TRUE(received);
      EXPECT_EQ(text_of(received->packet), "some");
      EXPECT_TRUE(received->with_descriptors);
    }
    char byte;
    ASSERT_EQ(recv(socket_->native_handle(), &byte, 1, 0), 1) << "it is there to be received";
  }
  send("next");
  const auto received = receive();
  ASSERT_TRUE(received);
  EXPECT_FALSE(received->with_descriptors);
}

TEST_F(PacketSocketTest, GivesItsSocketAwayToBeClosed) {
  std::vector<int> closed;
  const auto close = [&](const Fd& socket) { closed.push_back(socket.get()); };
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
  other_.reset(ends[0]);
  socket_ = std::make_shared<PacketSocket>(context_, Fd(ends[1]), kLargest, close);
  EXPECT_EQ(socket_->native_handle(), ends[1]);
  socket_->close();
  socket_->close();
  EXPECT_EQ(socket_->native_handle(), -1);
  socket_.reset();
  EXPECT_EQ(closed, std::vector<int>{ends[1]}) << "once";
}

TEST_F(PacketSocketTest, EndsWithThePeerAndAtTheDeadline) {
  EXPECT_FALSE(receive(1ms));
  SetUp();
  other_.reset();
  EXPECT_FALSE(receive());
}

TEST_F(PacketSocketTest, SendsPacketsInTurnAndDescriptors) {
  Fd null(open("/dev/null", O_RDONLY | O_CLOEXEC));
  const int number = null.get();
  std::deque<PacketSocket::Outgoing> packets(2);
  packets[0].packet = packet_of("first");
  packets[1].packet = packet_of("second");
  packets[1].descriptors = {number};
  packets[1].owned.push_back(std::move(null));
  bool sent = false;
  socket_->send(std::move(packets), kLong, [&](bool all) { sent = all; });
  run();
  EXPECT_TRUE(sent);
  EXPECT_EQ(taken(), "first");
  EXPECT_EQ(taken(), "second");
  EXPECT_EQ(fcntl(number, F_GETFD), -1) << "closed once sent";
}

TEST_F(PacketSocketTest, WaitsForAPeerThatReadsAndNoLongerThanTheDeadline) {
  const auto many = [] {
    std::deque<PacketSocket::Outgoing> packets(5000);
    for (auto& each : packets) each.packet = packet_of("some text");
    return packets;
  };
  std::optional<bool> sent;
  socket_->send(many(), 1ms, [&](bool all) { sent = all; });
  run();
  EXPECT_EQ(sent, false);

  SetUp();
  sent.reset();
  socket_->send(many(), kLong, [&](bool all) { sent = all; });
  int read = 0;
  while (!sent && read <= 5000) {
    while (!taken().empty()) ++read;
    context_.restart();
    context_.run_one_for(kLong);
  }
  while (!taken().empty()) ++read;
  EXPECT_EQ(sent, true);
  EXPECT_EQ(read, 5000);
}

TEST_F(PacketSocketTest, TellsOfAPeerThatGoes) {
  bool told = false;
  socket_->wait_readable([&] { told = true; });
  other_.reset();
  run();
  EXPECT_TRUE(told);
}

TEST_F(PacketSocketTest, AFalseEventIsNotTold) {
  bool told = false;
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
  Fd peer(ends[0]);
  with_false_event(context_, [&] {
    socket_ = std::make_shared<PacketSocket>(context_, Fd(ends[1]), kLargest);
    socket_->wait_readable([&] { told = true; });
  });
  EXPECT_FALSE(told);
  peer.reset();
  run();
  EXPECT_TRUE(told);
}

TEST_F(PacketSocketTest, CloseEndsEveryWait) {
  bool told = false;
  bool ended = false;
  socket_->wait_readable([&] { told = true; });
  socket_->receive(kLong, [&](const auto& incoming) { ended = !incoming; });
  socket_->close();
  run();
  EXPECT_TRUE(told);
  EXPECT_TRUE(ended);
}

}  // namespace
}  // namespace px::ipc
