// SPDX-License-Identifier: MIT
#include "preload/datagrams/receiving.h"

#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <span>

#include "libbundle/core/socket_option.h"
#include "preload/process/program_memory.h"
#include "preload/sockets/kernel_socket.h"

namespace px::shim {
namespace {

constexpr unsigned kMostMessages = 1024;  // UIO_MAXIOV: the kernel looks at no more
constexpr unsigned kBatch = 8;
constexpr std::size_t kControlRoom = 1024;
// Both kinds may come with a datagram.
constexpr std::size_t kOwnSpace = 2 * kPacketInfoSpace;

// Where the kernel puts control data: behind ours where the program's part leaves room for it in
// `room`, which is then shortened; else in the program's own memory.
bool lend_control_room(msghdr* message, std::span<std::byte>* room) {
  const std::size_t wanted =
      CMSG_ALIGN(message->msg_control == nullptr ? 0 : message->msg_controllen) + kOwnSpace;
  if (wanted > room->size()) return false;
  message->msg_control = room->data();
  message->msg_controllen = wanted;
  *room = room->subspan(wanted);
  return true;
}

// Whether a socket may be a server's.
bool may_be_served_by(const FdState& state) {
  return (state.kind == FdKind::kPortBound || state.kind == FdKind::kSourced) &&
         state.transport == plan::Transport::kUdp;
}

}  // namespace

void Receiving::bound(int fd, const std::optional<bundle::Endpoint>& endpoint) {
  FdNotes notes = fds_.notes(fd);
  // A socket that takes any port is no server's: its own datagrams come first.
  notes.examined = endpoint && endpoint->port == 0;
  fds_.set_notes(fd, notes);
  if (!notes.examined && may_be_served_by(fds_.get(fd))) examine(fd);
}

void Receiving::connected(int fd, sa_family_t family) {
  const FdState state = fds_.get(fd);
  if (!state.datagram && state.kind != FdKind::kUnknown) return;
  FdNotes notes = fds_.notes(fd);
  notes.connected = family != AF_UNSPEC;
  fds_.set_notes(fd, notes);
}

void Receiving::option_set(int fd, int level, int name, const void* value, socklen_t length) {
  const bool ipv4 = level == IPPROTO_IP;
  if (!ipv4 && level != IPPROTO_IPV6) return;
  FdNotes notes = fds_.notes(fd);
  if (name == (ipv4 ? IP_MULTICAST_IF : IPV6_MULTICAST_IF)) {
    notes.group_chosen = true;
    fds_.set_notes(fd, notes);
    return;
  }
  if (name != (ipv4 ? IP_PKTINFO : IPV6_RECVPKTINFO)) return;
  // A byte will do for IP options; no value at all is 0 for IPv6's.
  std::uint8_t byte = 0;
  int number = 0;
  if (value == nullptr) {
    number = 0;
  } else if (length >= sizeof number) {
    std::memcpy(&number, value, sizeof number);
  } else if (length > 0) {
    std::memcpy(&byte, value, sizeof byte);
    number = byte;
  }
  (ipv4 ? notes.wants_ipv4 : notes.wants_ipv6) = number != 0;
  if (!notes.watched) return;
  fds_.set_notes(fd, notes);
  if (number == 0) {
    const KeepErrno keep;
    (void)set_int_option(system_, fd, level, name, 1);
  }
}

bool Receiving::watches(int fd) {
  const FdNotes notes = fds_.notes(fd);
  if (notes.watched || notes.examined) return notes.watched;
  const FdState state = fds_.get(fd);
  if (state.kind != FdKind::kUnknown && !may_be_served_by(state)) return false;
  examine(fd);
  return fds_.notes(fd).watched;
}

// Without a `listen`, answers from the socket's own source leave by the rules. It is not known yet
// whether there is one before there is a plan.
bool Receiving::source_is_enough() const {
  const auto plan = plan_.in_force();
  return plan && plan->listen_mode() == plan::ListenMode::kSystem;
}

void Receiving::examine(int fd) {
  if (fd < 0 || static_cast<std::size_t>(fd) >= FdTable::kSize) return;
  if (decider_.is_passthrough() &&
      value_of(plan_.in_force(), &plan::Plan::listen_mode) == plan::ListenMode::kSystem) {
    return;
  }
  const KeepErrno keep;
  const FdState state = state_of(system_, fds_, plan_, fd);
  FdNotes notes = fds_.notes(fd);
  notes.examined = true;
  if (may_be_served_by(state) && !(state.kind == FdKind::kSourced && source_is_enough())) {
    watch(fd, state, notes);
  } else {
    fds_.set_notes(fd, notes);
  }
}

void Receiving::watch(int fd, const FdState& state, FdNotes notes) {
  notes.watched = turn_on(fd, IPPROTO_IP, IP_PKTINFO, &notes.wants_ipv4);
  if (state.ipv6 && !turn_on(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &notes.wants_ipv6)) {
    notes.watched = false;
  }
  if (notes.generation == 0) notes.generation = fds_.new_generation();
  fds_.set_notes(fd, notes);
}

bool Receiving::turn_on(int fd, int level, int name, bool* was_on) {
  const int value = int_option(system_, fd, level, name).value_or(-1);
  if (value < 0) return false;
  *was_on = value != 0;
  return *was_on || set_int_option(system_, fd, level, name, 1);
}

void Receiving::take(const FdNotes& notes, int flags, const msghdr& received, msghdr* program) {
  if ((flags & MSG_ERRQUEUE) == 0) {
    const auto called = received_packet_info(received);
    const auto peer =
        bundle::endpoint_from_sockaddr(static_cast<const sockaddr*>(received.msg_name),
                                       std::min(received.msg_namelen, program->msg_namelen));
    // A datagram that was queued before the option was on does not say it.
    if (called && peer && called->interface != 0) {
      const std::uint32_t now = LocalAddressCache::now();
      local_addresses_.remember(notes.generation, *peer, *called, now);
      if (value_of(plan_.in_force(), &plan::Plan::listen_mode) != plan::ListenMode::kSystem) {
        local_addresses_.remember(LocalAddressCache::kAnySocket, *peer, *called, now);
      }
    }
  }
  program->msg_namelen = received.msg_namelen;
  pass_control_data(received, {.ipv4 = notes.wants_ipv4, .ipv6 = notes.wants_ipv6}, program);
}

ssize_t Receiving::recvfrom(int fd, void* data, size_t size, int flags, sockaddr* address,
                            socklen_t* length) {
  const bool corrects =
      address != nullptr && redirecting_.concerns(fd) && can_write(length, sizeof *length);
  const socklen_t room = corrects ? *length : 0;
  const ssize_t result = recvfrom_anywhere(fd, data, size, flags, address, length);
  if (!corrects || result < 0) return result;
  const iovec part{data, size};
  const auto number = question_number({&part, 1}, static_cast<std::size_t>(result));
  redirecting_.correct(fd, address, room, length, number);
  return result;
}

ssize_t Receiving::recvfrom_anywhere(int fd, void* data, size_t size, int flags, sockaddr* address,
                                     socklen_t* length) {
  // A program that does not want to know its peer does not answer it.
  if (address == nullptr || !watches(fd) || !can_write(length, sizeof *length)) {
    return libc_.recvfrom(fd, data, size, flags, address, length);
  }
  const FdNotes notes = fds_.notes(fd);
  alignas(cmsghdr) std::byte room[kOwnSpace];
  iovec buffer{data, size};
  msghdr message{};
  message.msg_name = address;
  message.msg_namelen = *length;
  message.msg_iov = &buffer;
  message.msg_iovlen = 1;
  message.msg_control = room;
  message.msg_controllen = sizeof room;
  const ssize_t result = libc_.recvmsg(fd, &message, flags);
  if (result < 0) return result;
  msghdr program{};
  program.msg_namelen = *length;
  take(notes, flags, message, &program);
  *length = message.msg_namelen;
  return result;
}

ssize_t Receiving::recvmsg(int fd, msghdr* message, int flags) {
  const bool corrects = redirecting_.concerns(fd) && can_write(message, sizeof *message) &&
                        message->msg_name != nullptr;
  const socklen_t room = corrects ? message->msg_namelen : 0;
  const ssize_t result = recvmsg_anywhere(fd, message, flags);
  if (corrects && result >= 0) correct(fd, message, room, static_cast<std::size_t>(result));
  return result;
}

void Receiving::correct(int fd, msghdr* message, socklen_t room, std::size_t size) const {
  const auto number = question_number({message->msg_iov, message->msg_iovlen}, size);
  redirecting_.correct(fd, static_cast<sockaddr*>(message->msg_name), room, &message->msg_namelen,
                       number);
}

ssize_t Receiving::recvmsg_anywhere(int fd, msghdr* message, int flags) {
  if (!watches(fd) || !can_write(message, sizeof *message)) {
    return libc_.recvmsg(fd, message, flags);
  }
  const FdNotes notes = fds_.notes(fd);
  alignas(cmsghdr) std::byte memory[kControlRoom];
  std::span<std::byte> room(memory);
  msghdr received = *message;
  (void)lend_control_room(&received, &room);
  const ssize_t result = libc_.recvmsg(fd, &received, flags);
  if (result >= 0) take(notes, flags, received, message);
  return result;
}

int Receiving::recvmmsg(int fd, mmsghdr* messages, unsigned count, int flags, timespec* timeout) {
  const bool concerned = watches(fd) || redirecting_.concerns(fd);
  if (count == 0 || !concerned || !can_write(messages, sizeof *messages)) {
    return libc_.recvmmsg(fd, messages, count, flags, timeout);
  }
  const int errno_before = errno;
  count = std::min(count, kMostMessages);
  unsigned received = 0;
  while (received < count) {
    unsigned wanted = count - received;
    const int done = receive_batch(fd, messages + received, &wanted, flags, timeout);
    // The next call tells what stopped this one after the first message.
    if (done < 0 && received == 0) return done;
    if (wanted == 0) break;
    received += static_cast<unsigned>(std::max(done, 0));
    if (done < static_cast<int>(wanted)) break;
    // The kernel looks at the time only when a datagram has come.
    if (timeout != nullptr && timeout->tv_sec == 0 && timeout->tv_nsec == 0) break;
    if ((flags & MSG_WAITFORONE) != 0) flags |= MSG_DONTWAIT;
  }
  errno = errno_before;
  return static_cast<int>(received);
}

// As recvmmsg, of as many of the messages as there is room for: `count` on return.
int Receiving::receive_batch(int fd, mmsghdr* messages, unsigned* count, int flags,
                             timespec* timeout) {
  const FdNotes notes = fds_.notes(fd);
  const bool corrects = redirecting_.concerns(fd);
  std::array<mmsghdr, kBatch> batch;
  alignas(cmsghdr) std::byte memory[kControlRoom];
  std::span<std::byte> room(memory);
  unsigned most = std::min(*count, kBatch);
  while (most > 0 && !can_write(messages, most * sizeof *messages)) --most;
  unsigned ready = 0;
  for (; ready < most; ++ready) {
    batch[ready] = messages[ready];
    if (!notes.watched) continue;
    if (!lend_control_room(&batch[ready].msg_hdr, &room) && ready > 0) break;
  }
  *count = ready;
  if (ready == 0) return 0;
  const int done = libc_.recvmmsg(fd, batch.data(), ready, flags, timeout);
  for (unsigned i = 0; done > 0 && i < static_cast<unsigned>(done); ++i) {
    msghdr& program = messages[i].msg_hdr;
    const socklen_t room_of_name = program.msg_namelen;
    if (notes.watched) {
      take(notes, flags, batch[i].msg_hdr, &program);
    } else {
      program = batch[i].msg_hdr;
    }
    messages[i].msg_len = batch[i].msg_len;
    if (corrects && program.msg_name != nullptr) {
      correct(fd, &program, room_of_name, messages[i].msg_len);
    }
  }
  return done;
}

}  // namespace px::shim
