// SPDX-License-Identifier: MIT
#include "netlink/subscription.h"

#include <linux/netlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>

#include "util/socket_option.h"

namespace px::netlink {
namespace {

static_assert(static_cast<int>(Protocol::kRoute) == NETLINK_ROUTE &&
              static_cast<int>(Protocol::kGeneric) == NETLINK_GENERIC);

// More than the kernel tells at a time, links of very many virtual functions apart.
constexpr std::size_t kMessageSize = 32 * 1024;

void hand_over(std::span<const std::byte> datagram,
               const std::function<void(const nlmsghdr&)>& heard) {
  while (datagram.size() >= sizeof(nlmsghdr)) {
    const auto& message = *reinterpret_cast<const nlmsghdr*>(datagram.data());
    if (message.nlmsg_len < sizeof message || message.nlmsg_len > datagram.size()) return;
    if (message.nlmsg_type >= NLMSG_MIN_TYPE) heard(message);
    datagram =
        datagram.subspan(std::min<std::size_t>(datagram.size(), NLMSG_ALIGN(message.nlmsg_len)));
  }
}

}  // namespace

Expected<Fd> subscribe(Protocol protocol, std::span<const int> groups, int receive_buffer) {
  Fd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, static_cast<int>(protocol)));
  if (!fd) return fail_errno("cannot open a netlink socket");
  if (!set_socket_option(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, receive_buffer)) {
    (void)set_socket_option(fd.get(), SOL_SOCKET, SO_RCVBUF, receive_buffer);
  }
  sockaddr_nl any{};
  any.nl_family = AF_NETLINK;
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any) != 0) {
    return fail_errno("cannot bind a netlink socket");
  }
  for (const int group : groups) {
    if (!set_socket_option(fd.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group)) {
      return fail_errno("cannot subscribe to the kernel's network events");
    }
  }
  return fd;
}

int read_events(int socket, const std::function<void(const nlmsghdr&)>& heard) {
  alignas(nlmsghdr) std::array<std::byte, kMessageSize> buffer;  // not zeroed for each event
  for (;;) {
    const ssize_t length = ::recv(socket, buffer.data(), buffer.size(), MSG_TRUNC);
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) return errno == EAGAIN ? 0 : errno;
    const auto size = static_cast<std::size_t>(length);
    if (size > buffer.size()) return ENOBUFS;
    hand_over(std::span(buffer).first(size), heard);
  }
}

}  // namespace px::netlink
