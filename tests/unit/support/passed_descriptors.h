// SPDX-License-Identifier: MIT
// Packets that bring descriptors, and connections in whose queue they are.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <asio/io_context.hpp>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include "ipc/packet_socket.h"
#include "util/fd.h"

namespace px {

inline constexpr std::size_t kLargestPacket = 64 * 1024;

inline void send_with_descriptors(int socket, std::span<const std::byte> packet,
                                  std::span<const int> descriptors) {
  iovec data{const_cast<std::byte*>(packet.data()), packet.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(253 * sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(descriptors.size_bytes());
  std::memcpy(CMSG_DATA(header), descriptors.data(), descriptors.size_bytes());
  ASSERT_EQ(sendmsg(socket, &message, MSG_NOSIGNAL), static_cast<ssize_t>(packet.size()));
}

// The broker's end of a connection whose client has gone, with this one packet in its queue.
inline std::shared_ptr<ipc::PacketSocket> connection_with(std::span<const std::byte> packet,
                                                          const Fd& descriptor,
                                                          asio::io_context& context) {
  int ends[2] = {-1, -1};
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
  const Fd client(ends[0]);
  auto connection = std::make_shared<ipc::PacketSocket>(context, Fd(ends[1]), kLargestPacket);
  const int number = descriptor.get();
  send_with_descriptors(client.get(), packet, {&number, 1});
  return connection;
}

}  // namespace px
