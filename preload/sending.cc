// SPDX-License-Identifier: MIT
#include "preload/sending.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <span>

#include "preload/datagrams/packet_info.h"
#include "preload/process/program_memory.h"
#include "preload/sockets/kernel_socket.h"

namespace px::shim {
namespace {

constexpr unsigned kMostMessages = 1024;  // UIO_MAXIOV: the kernel looks at no more
constexpr unsigned kBatch = 8;
constexpr std::size_t kControlRoom = 1024;

// How many of these take the length that was sent, as the kernel finds: it stops at the first that
// it cannot tell.
int written_lengths(mmsghdr* messages, int count) {
  while (count > 0 && !can_write(messages, static_cast<unsigned>(count) * sizeof *messages)) {
    --count;
  }
  return count;
}

// The interface or the address went away after the plan was made.
int error_of_egress(int error) {
  return error == ENODEV ? ENETUNREACH : error;
}

void name_server(const Datagrams::Egress::Server& server, msghdr* message) {
  message->msg_name = const_cast<sockaddr_storage*>(&server.address);
  message->msg_namelen = server.length;
}

}  // namespace

bool Sending::recover(int fd) {
  if (!may_recover(fds_.get(fd))) return false;
  const KeepErrno keep;
  if (device_of(system_, fd, "") != Device::kGone) return false;
  sockaddr_storage peer;
  socklen_t length = sizeof peer;
  auto* address = reinterpret_cast<sockaddr*>(&peer);
  if (system_.getpeername(fd, address, &length) != 0) return false;
  return connector_.reconnect(fd, known_call_address(address, length));
}

Datagrams::Egress Sending::egress_of(int fd, const msghdr& message) {
  const auto egress = datagrams_.egress_of(fd, message);
  if (egress.error != ENETUNREACH || !recover(fd)) return egress;
  return datagrams_.egress_of(fd, message);
}

template <typename Call>
auto Sending::recovering(int fd, Call call) {
  const auto result = call();
  // IPv6 has no route by a device that is gone.
  if (result >= 0 || (errno != ENODEV && errno != ENETUNREACH)) return result;
  return recover(fd) ? call() : result;
}

Sending::Opening Sending::open_fast(int fd, const void* address, socklen_t length, int flags) {
  if ((flags & MSG_FASTOPEN) == 0) return Opening::kKernels;
  const auto destination = read_call_address(static_cast<const sockaddr*>(address), length);
  const bool connects = tcp_.is_sctp(fd) || redirecting_.takes_fast_open(fd, destination);
  if (destination.bytes != nullptr && connects) {
    return connect_(fd, destination) == 0 ? Opening::kConnected : Opening::kFailed;
  }
  const bool prepared = connector_.prepare(fd, destination, By::kFastOpen);
  return prepared ? Opening::kKernels : Opening::kFailed;
}

ssize_t Sending::send_connected(int fd, msghdr message, int flags) {
  message.msg_name = nullptr;
  message.msg_namelen = 0;
  return sendmsg(fd, &message, flags & ~MSG_FASTOPEN);
}

ssize_t Sending::sent(ssize_t result, int fd, const void* data, size_t size, int flags) const {
  const iovec part{const_cast<void*>(data), size};
  return sent(result, fd, &part, 1, flags);
}

ssize_t Sending::sent(ssize_t result, int fd, const iovec* parts, size_t count, int flags) const {
  if (result >= 0 || count > IOV_MAX || !can_read(parts, count * sizeof *parts)) return result;
  return tcp_.write_failed(fd, {parts, count}, flags);
}

// A message that names its peer or its stream is of a program that knows SCTP.
ssize_t Sending::sent(ssize_t result, int fd, const msghdr& message, int flags) const {
  if (message.msg_name != nullptr || message.msg_controllen != 0) return result;
  return sent(result, fd, message.msg_iov, message.msg_iovlen, flags);
}

ssize_t Sending::write(int fd, const void* data, size_t size) {
  if (!may_be_sctp(fd)) return libc_.write(fd, data, size);
  return sent(libc_.write(fd, data, size), fd, data, size, 0);
}

ssize_t Sending::writev(int fd, const iovec* parts, int count) {
  if (count < 0 || !may_be_sctp(fd)) return libc_.writev(fd, parts, count);
  return sent(libc_.writev(fd, parts, count), fd, parts, static_cast<size_t>(count), 0);
}

ssize_t Sending::send(int fd, const void* data, size_t size, int flags) {
  if (is_plain(fd)) return libc_.send(fd, data, size, flags);
  const ssize_t result = recovering(fd, [&] { return libc_.send(fd, data, size, flags); });
  return sent(result, fd, data, size, flags);
}

ssize_t Sending::sendto(int fd, const void* data, size_t size, int flags, const sockaddr* address,
                        socklen_t length) {
  if (address == nullptr && is_plain(fd)) {
    return libc_.sendto(fd, data, size, flags, address, length);
  }
  const Opening opening = open_fast(fd, address, length, flags);
  if (opening == Opening::kFailed) return -1;
  if (opening == Opening::kConnected) return send(fd, data, size, flags & ~MSG_FASTOPEN);
  // A name that is too long is for sendmsg alone to shorten.
  const bool refused = length > sizeof(sockaddr_storage);
  if (address == nullptr || refused || !datagrams_.concern(fd)) {
    const ssize_t result =
        recovering(fd, [&] { return libc_.sendto(fd, data, size, flags, address, length); });
    return address != nullptr ? result : sent(result, fd, data, size, flags);
  }
  iovec buffer{const_cast<void*>(data), size};
  msghdr message{};
  message.msg_name = const_cast<sockaddr*>(address);
  message.msg_namelen = length;
  message.msg_iov = &buffer;
  message.msg_iovlen = 1;
  const auto egress = egress_of(fd, message);
  if (egress.error == 0 && !egress.info && !egress.server) {
    return recovering(fd, [&] { return libc_.sendto(fd, data, size, flags, address, length); });
  }
  return send_through(fd, message, flags, egress);
}

bool Sending::needs_no_look(int fd, int flags) const {
  return (flags & MSG_FASTOPEN) == 0 && is_plain(fd) && !datagrams_.concern(fd);
}

ssize_t Sending::sendmsg(int fd, const msghdr* message, int flags) {
  if (needs_no_look(fd, flags) || !can_read(message, sizeof *message)) {
    return libc_.sendmsg(fd, message, flags);
  }
  if (message->msg_name == nullptr && is_plain(fd)) return libc_.sendmsg(fd, message, flags);
  const Opening opening = open_fast(fd, message->msg_name, message->msg_namelen, flags);
  if (opening == Opening::kFailed) return -1;
  if (opening == Opening::kConnected) return send_connected(fd, *message, flags);
  if (message->msg_name == nullptr || !datagrams_.concern(fd)) {
    const ssize_t result = recovering(fd, [&] { return libc_.sendmsg(fd, message, flags); });
    return sent(result, fd, *message, flags);
  }
  const auto egress = egress_of(fd, *message);
  if (egress.error == 0 && !egress.info && !egress.server) {
    return recovering(fd, [&] { return libc_.sendmsg(fd, message, flags); });
  }
  return send_through(fd, *message, flags, egress);
}

ssize_t Sending::send_through(int fd, msghdr message, int flags, const Datagrams::Egress& egress) {
  alignas(cmsghdr) std::byte room[kControlRoom];
  int error = egress.error;
  if (egress.server) name_server(*egress.server, &message);
  if (error == 0 && egress.info) {
    const std::size_t length = put_packet_info(*egress.info, message, room);
    // As from the kernel where it has no room.
    if (length == 0) error = ENOBUFS;
    message.msg_control = room;
    message.msg_controllen = length;
  }
  if (error == 0) {
    const ssize_t result = libc_.sendmsg(fd, &message, flags);
    if (result < 0) errno = error_of_egress(errno);
    return result;
  }
  errno = error;
  return -1;
}

int Sending::first_sent(ssize_t size, mmsghdr* messages) {
  if (size < 0) return -1;
  if (written_lengths(messages, 1) == 0) {
    errno = EFAULT;
    return -1;
  }
  messages->msg_len = static_cast<unsigned>(size);
  return 1;
}

int Sending::sendmmsg(int fd, mmsghdr* messages, unsigned count, int flags) {
  if (needs_no_look(fd, flags) || count == 0 || !can_read(messages, sizeof *messages)) {
    return libc_.sendmmsg(fd, messages, count, flags);
  }
  // The first message connects, and where that is done here it goes alone: TCP's kernel has the
  // next one fail with EISCONN.
  msghdr& first = messages->msg_hdr;
  const Opening opening = open_fast(fd, first.msg_name, first.msg_namelen, flags);
  if (opening == Opening::kFailed) return -1;
  if (opening == Opening::kConnected) {
    return first_sent(send_connected(fd, first, flags), messages);
  }
  if (!datagrams_.concern(fd)) {
    const int result = recovering(fd, [&] { return libc_.sendmmsg(fd, messages, count, flags); });
    return result >= 0 ? result : first_sent(sent(-1, fd, first, flags), messages);
  }
  const int errno_before = errno;
  count = std::min(count, kMostMessages);
  Batch batch{.sent = 0, .whole = true};
  unsigned sent = 0;
  while (batch.whole && sent < count) {
    // A socket has one mark at a time.
    const unsigned most = datagrams_.may_be_marked() ? 1 : kBatch;
    batch = send_batch(fd, messages + sent, std::min(count - sent, most), flags);
    sent += static_cast<unsigned>(batch.sent);
  }
  // As the kernel does: the next call tells what stopped this one after the first message.
  if (sent == 0 && !batch.whole) return -1;
  errno = errno_before;
  return static_cast<int>(sent);
}

// Sends as many of these messages as can be sent together, at most kBatch. `whole` is false, and
// errno says why, where the next one could not be sent.
Sending::Batch Sending::send_batch(int fd, mmsghdr* messages, unsigned count, int flags) {
  std::array<mmsghdr, kBatch> batch;
  std::array<Datagrams::Egress::Server, kBatch> servers;
  alignas(cmsghdr) std::byte memory[kControlRoom];
  std::span<std::byte> room(memory);
  int refused = 0;
  while (count > 0 && !can_read(messages, count * sizeof *messages)) --count;
  if (count == 0) {
    errno = EFAULT;
    return {.sent = 0, .whole = false};
  }
  unsigned ready = 0;
  for (; ready < count; ++ready) {
    mmsghdr& message = batch[ready];
    message = messages[ready];
    const auto egress = egress_of(fd, message.msg_hdr);
    refused = egress.error;
    if (refused != 0) break;
    if (egress.server) {
      servers[ready] = *egress.server;
      name_server(servers[ready], &message.msg_hdr);
    }
    if (!egress.info) continue;
    const std::size_t length = put_packet_info(*egress.info, message.msg_hdr, room);
    if (length == 0) {
      // The rest finds the room empty again.
      if (ready == 0) refused = ENOBUFS;
      break;
    }
    message.msg_hdr.msg_control = room.data();
    message.msg_hdr.msg_controllen = length;
    room = room.subspan(std::min(CMSG_ALIGN(length), room.size()));
  }
  int done = 0;
  if (ready > 0) {
    done = recovering(fd, [&] { return libc_.sendmmsg(fd, batch.data(), ready, flags); });
    if (done < 0) errno = error_of_egress(errno);
    const int told = done > 0 ? written_lengths(messages, done) : done;
    for (int i = 0; i < told; ++i) messages[i].msg_len = batch[static_cast<unsigned>(i)].msg_len;
    if (told < done) {
      errno = EFAULT;
      return {.sent = told, .whole = false};
    }
    if (done < static_cast<int>(ready)) return {.sent = std::max(done, 0), .whole = false};
  }
  if (refused != 0) {
    errno = refused;
    return {.sent = done, .whole = false};
  }
  return {.sent = done, .whole = true};
}

}  // namespace px::shim
