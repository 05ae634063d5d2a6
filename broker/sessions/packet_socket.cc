// SPDX-License-Identifier: MIT
#include "broker/sessions/packet_socket.h"

#include <sys/socket.h>

#include <array>
#include <cstring>

#include "plan/wire.h"

namespace px::broker {
namespace {

constexpr std::size_t kMostDescriptors = 2;

bool try_again(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

ssize_t send_packet(int socket, std::span<const std::byte> packet,
                    std::span<const int> descriptors) {
  iovec data{const_cast<std::byte*>(packet.data()), packet.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(kMostDescriptors * sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  if (!descriptors.empty()) {
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(header), descriptors.data(), descriptors.size_bytes());
  }
  return sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

// The one descriptor that came with a packet of this length.
std::optional<Fd> descriptor_of(msghdr& message, ssize_t length) {
  const cmsghdr* header = length < 0 ? nullptr : CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) {
    return std::nullopt;
  }
  int descriptor = -1;
  std::memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
  return Fd(descriptor);
}

}  // namespace

PacketSocket::PacketSocket(asio::io_context& context, Fd socket)
    : descriptor_(context, socket.release()), timer_(context) {}

void PacketSocket::wait(WaitType type, std::chrono::milliseconds deadline,
                        std::function<void(bool)> done) {
  const std::uint64_t number = ++waits_;
  timer_.expires_after(deadline);
  timer_.async_wait([self = shared_from_this(), number](const std::error_code& error) {
    if (!error && self->waits_ == number) self->close();
  });
  descriptor_.async_wait(
      type, [self = shared_from_this(), done = std::move(done)](const std::error_code& error) {
        ++self->waits_;
        self->timer_.cancel();
        done(!error);
      });
}

void PacketSocket::receive(std::chrono::milliseconds deadline, Received done) {
  wait(WaitType::wait_read, deadline, [this, deadline, done = std::move(done)](bool readable) {
    if (!readable) return done(std::nullopt, std::nullopt);
    Packet packet(plan::kLargestMessage);  // not before: idle connections cost no buffer
    iovec data{packet.data(), packet.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = CMSG_LEN(sizeof(int));  // any more are dropped by the kernel
    const ssize_t length =
        recvmsg(descriptor_.native_handle(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (length < 0 && try_again(errno)) return receive(deadline, done);
    std::optional<Fd> descriptor = descriptor_of(message, length);
    if (length <= 0 || (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
      return done(std::nullopt, std::nullopt);
    }
    packet.resize(static_cast<std::size_t>(length));
    done(std::move(packet), std::move(descriptor));
  });
}

void PacketSocket::send(std::deque<Outgoing> packets, std::chrono::milliseconds deadline,
                        Sent done) {
  outgoing_ = std::move(packets);
  send_some(deadline, std::move(done));
}

void PacketSocket::send_some(std::chrono::milliseconds deadline, Sent done) {
  while (!outgoing_.empty() && descriptor_.is_open()) {
    const Outgoing& next = outgoing_.front();
    if (send_packet(descriptor_.native_handle(), next.packet, next.descriptors) >= 0) {
      outgoing_.pop_front();
    } else if (try_again(errno)) {
      return wait(WaitType::wait_write, deadline,
                  [this, deadline, done = std::move(done)](bool writable) {
                    if (!writable) return done(false);
                    send_some(deadline, done);
                  });
    } else {
      break;
    }
  }
  done(outgoing_.empty());
}

void PacketSocket::wait_readable(std::function<void()> done) {
  descriptor_.async_wait(WaitType::wait_read, [self = shared_from_this(), done = std::move(done)](
                                                  const std::error_code&) { done(); });
}

void PacketSocket::close() {
  std::error_code ignored;
  descriptor_.close(ignored);
}

}  // namespace px::broker
