// SPDX-License-Identifier: MIT
// IP_PKTINFO and IPV6_PKTINFO: the control data that says by which interface and from which address
// one datagram leaves, or by which and to which one came. Plain functions on the caller's memory:
// any thread, any signal handler; errno is left alone.
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "libbundle/core/address.h"

namespace px::shim {

// Interface index 0 and an unspecified address leave the choice to the kernel. An IPv4 address, the
// unspecified one included, makes IP_PKTINFO of it, which AF_INET6 sockets take for v4-mapped
// destinations.
struct PacketInfo {
  bundle::Address address;
  std::uint32_t interface = 0;
};

// The most that a PacketInfo adds to control data.
inline constexpr std::size_t kPacketInfoSpace = CMSG_SPACE(20);  // sizeof(in6_pktinfo)

// Whether the program's own control data says where the datagram goes; also where the kernel will
// not read it, and the message cannot be sent.
[[nodiscard]] bool has_packet_info(const msghdr& message);

// What it says; nothing where the kernel would find it too short.
[[nodiscard]] std::optional<PacketInfo> sent_packet_info(const msghdr& message);

// Writes the info, and the program's own control data behind it, into `room`, which is aligned as a
// cmsghdr. Returns the length; 0 where the room does not do.
[[nodiscard]] std::size_t put_packet_info(const PacketInfo& info, const msghdr& message,
                                          std::span<std::byte> room);

// Which of the two kinds the program wants to see.
struct PacketInfoKinds {
  bool ipv4 = false;
  bool ipv6 = false;
};

// To which of the host's addresses a datagram came, and by which interface. A group's or broadcast
// address is no address of the host's: IP_PKTINFO names the one that answers it, IPV6_PKTINFO gives
// the unspecified one.
[[nodiscard]] std::optional<PacketInfo> received_packet_info(const msghdr& received);

// Gives the program the control data of a received message as the kernel would have without the
// kinds that it did not ask for. `program` has the length of the program's room on entry, its part
// and MSG_CTRUNC on return; the two may share their memory.
void pass_control_data(const msghdr& received, PacketInfoKinds wanted, msghdr* program);

}  // namespace px::shim
