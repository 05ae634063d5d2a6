// SPDX-License-Identifier: MIT
#include "ipc/packet_socket.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <span>

#include "util/readiness.h"

namespace px::ipc {
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

// Without room for descriptors: those that came along stay in the queue with the packet.
ssize_t look_at_packet(int socket, std::span<std::byte> packet, int* flags) {
  iovec data{packet.data(), packet.size()};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  const ssize_t length = recvmsg(socket, &message, MSG_PEEK | MSG_DONTWAIT);
  *flags = message.msg_flags;
  return length;
}

}  // namespace

PacketSocket::PacketSocket(asio::io_context& context, Fd socket, std::size_t largest_packet,
                           Close close)
    : descriptor_(context, socket.release()),
      timer_(context),
      largest_packet_(largest_packet),
      close_(std::move(close)) {}

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
  if (receive_some(done)) return;
  wait(WaitType::wait_read, deadline, [this, deadline, done = std::move(done)](bool readable) {
    if (!readable) return done(std::nullopt);
    receive(deadline, done);
  });
}

bool PacketSocket::receive_some(const Received& done) {
  // One for all, since most packets are small and its pages are dear.
  static thread_local std::vector<std::byte> room;
  if (room.size() < largest_packet_) room.resize(largest_packet_);
  const std::span<std::byte> packet = std::span(room).first(largest_packet_);
  int flags = 0;
  const ssize_t length = look_at_packet(descriptor_.native_handle(), packet, &flags);
  if (length < 0 && try_again(errno)) return false;
  if (length <= 0 || (flags & MSG_TRUNC) != 0) {
    done(std::nullopt);
    return true;
  }
  const bool with_descriptors = (flags & MSG_CTRUNC) != 0;
  // The same packet: nobody else takes any off.
  if (!with_descriptors) (void)recv(descriptor_.native_handle(), nullptr, 0, MSG_DONTWAIT);
  const auto received = packet.first(static_cast<std::size_t>(length));
  done(Incoming{Packet(received.begin(), received.end()), with_descriptors});
  return true;
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
                                                  const std::error_code& error) {
    const bool open = !error && self->descriptor_.is_open();
    if (open && !is_readable(self->native_handle())) return self->wait_readable(done);
    done();
  });
}

void PacketSocket::close() {
  if (descriptor_.is_open()) close_(Fd(descriptor_.release()));
}

}  // namespace px::ipc
