// SPDX-License-Identifier: MIT
#include "preload/datagrams/packet_info.h"

#include <netinet/in.h>

#include <algorithm>
#include <climits>
#include <cstring>

#include "preload/process/program_memory.h"

namespace px::shim {
namespace {

static_assert(kPacketInfoSpace == CMSG_SPACE(sizeof(in6_pktinfo)));

bool is_ipv4_info(const cmsghdr& header) {
  return header.cmsg_level == IPPROTO_IP && header.cmsg_type == IP_PKTINFO;
}

bool is_ipv6_info(const cmsghdr& header) {
  return header.cmsg_level == IPPROTO_IPV6 && header.cmsg_type == IPV6_PKTINFO;
}

bundle::Address from_ipv4(const in_addr& address) {
  return bundle::ipv4_address(ntohl(address.s_addr));
}

// Calls `use` with each header and its place, until that says false. A header that the data cannot
// hold ends the walk, as it does the kernel's.
template <typename Use>
void for_each_header(const void* control, std::size_t length, Use use) {
  if (control == nullptr) return;
  const auto* bytes = static_cast<const std::byte*>(control);
  for (std::size_t at = 0; at <= length && length - at >= sizeof(cmsghdr);) {
    cmsghdr header;
    std::memcpy(&header, bytes + at, sizeof header);
    if (header.cmsg_len < sizeof header || header.cmsg_len > length - at) return;
    if (!use(header, bytes + at)) return;
    at += CMSG_ALIGN(header.cmsg_len);
  }
}

template <typename Info>
std::size_t put(int level, int type, const Info& info, std::byte* room) {
  cmsghdr header{};
  header.cmsg_level = level;
  header.cmsg_type = type;
  header.cmsg_len = CMSG_LEN(sizeof info);
  std::memset(room, 0, CMSG_SPACE(sizeof info));
  std::memcpy(room, &header, sizeof header);
  std::memcpy(room + CMSG_LEN(0), &info, sizeof info);
  return CMSG_SPACE(sizeof info);
}

template <typename Info>
bool take(const cmsghdr& header, const std::byte* at, Info* info) {
  if (header.cmsg_len < CMSG_LEN(sizeof *info)) return false;
  std::memcpy(info, at + CMSG_LEN(0), sizeof *info);
  return true;
}

bool is_readable(const msghdr& message) {
  return message.msg_controllen <= INT_MAX && can_read(message.msg_control, message.msg_controllen);
}

}  // namespace

bool has_packet_info(const msghdr& message) {
  if (!is_readable(message)) return true;
  bool found = false;
  for_each_header(message.msg_control, message.msg_controllen,
                  [&found](const cmsghdr& header, const std::byte*) {
                    found =
                        is_ipv4_info(header) || is_ipv6_info(header) ||
                        (header.cmsg_level == IPPROTO_IPV6 && header.cmsg_type == IPV6_2292PKTINFO);
                    return !found;
                  });
  return found;
}

std::optional<PacketInfo> sent_packet_info(const msghdr& message) {
  std::optional<PacketInfo> found;
  if (!is_readable(message)) return found;
  for_each_header(message.msg_control, message.msg_controllen,
                  [&found](const cmsghdr& header, const std::byte* at) {
                    in_pktinfo ipv4;
                    in6_pktinfo ipv6;
                    if (is_ipv4_info(header) && take(header, at, &ipv4)) {
                      found = PacketInfo{.address = from_ipv4(ipv4.ipi_spec_dst),
                                         .interface = static_cast<std::uint32_t>(ipv4.ipi_ifindex)};
                    } else if (is_ipv6_info(header) && take(header, at, &ipv6)) {
                      found = PacketInfo{.address = {}, .interface = ipv6.ipi6_ifindex};
                      std::memcpy(found->address.bytes.data(), &ipv6.ipi6_addr, 16);
                    }
                    return !found;
                  });
  return found;
}

std::size_t put_packet_info(const PacketInfo& info, const msghdr& message,
                            std::span<std::byte> room) {
  const std::size_t own = message.msg_control == nullptr ? 0 : message.msg_controllen;
  if (room.size() < kPacketInfoSpace || room.size() - kPacketInfoSpace < own) return 0;
  std::size_t length = 0;
  if (info.address.is_ipv4()) {
    in_pktinfo kernels{};
    kernels.ipi_ifindex = static_cast<int>(info.interface);
    std::memcpy(&kernels.ipi_spec_dst, info.address.bytes.data() + 12, 4);
    length = put(IPPROTO_IP, IP_PKTINFO, kernels, room.data());
  } else {
    in6_pktinfo kernels{};
    kernels.ipi6_ifindex = info.interface;
    std::memcpy(&kernels.ipi6_addr, info.address.bytes.data(), 16);
    length = put(IPPROTO_IPV6, IPV6_PKTINFO, kernels, room.data());
  }
  if (own != 0) std::memcpy(room.data() + length, message.msg_control, own);
  return length + own;
}

std::optional<PacketInfo> received_packet_info(const msghdr& received) {
  std::optional<PacketInfo> found;
  for_each_header(received.msg_control, received.msg_controllen,
                  [&found](const cmsghdr& header, const std::byte* at) {
                    in_pktinfo ipv4;
                    in6_pktinfo ipv6;
                    if (is_ipv4_info(header) && take(header, at, &ipv4)) {
                      found = {.address = from_ipv4(ipv4.ipi_spec_dst),
                               .interface = static_cast<std::uint32_t>(ipv4.ipi_ifindex)};
                    } else if (is_ipv6_info(header) && take(header, at, &ipv6)) {
                      bundle::Address called;
                      std::memcpy(called.bytes.data(), &ipv6.ipi6_addr, 16);
                      // Of an IPv4 datagram, IP_PKTINFO says more.
                      if (called.is_ipv4()) return true;
                      found = {.address = called.bytes[0] == 0xff ? bundle::Address{} : called,
                               .interface = ipv6.ipi6_ifindex};
                    }
                    return true;
                  });
  return found;
}

// As put_cmsg() of Linux.
void pass_control_data(const msghdr& received, PacketInfoKinds wanted, msghdr* program) {
  auto* out = static_cast<std::byte*>(program->msg_control);
  std::size_t left = out == nullptr ? 0 : program->msg_controllen;
  const std::size_t received_length = received.msg_controllen;
  std::size_t used = 0;
  program->msg_flags = received.msg_flags & ~MSG_CTRUNC;
  bool truncated = (received.msg_flags & MSG_CTRUNC) != 0;
  std::optional<bool> writable;
  for_each_header(received.msg_control, received.msg_controllen,
                  [&](cmsghdr header, const std::byte* at) {
                    if (is_ipv4_info(header) && !wanted.ipv4) return true;
                    if (is_ipv6_info(header) && !wanted.ipv6) return true;
                    if (left < sizeof header) {
                      truncated = true;
                      return true;
                    }
                    const std::size_t space = std::min(CMSG_ALIGN(header.cmsg_len), left);
                    if (left < header.cmsg_len) {
                      truncated = true;
                      header.cmsg_len = left;
                    }
                    // What the program gets is never longer than what was received.
                    if (!writable) writable = can_write(out, std::min(left, received_length));
                    if (!*writable) return false;
                    std::memmove(out + used, at, header.cmsg_len);
                    std::memcpy(out + used, &header, sizeof header);
                    used += space;
                    left -= space;
                    return true;
                  });
  program->msg_controllen = used;
  if (truncated) program->msg_flags |= MSG_CTRUNC;
}

}  // namespace px::shim
