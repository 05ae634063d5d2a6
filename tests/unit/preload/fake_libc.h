// SPDX-License-Identifier: MIT
// libc's send and receive calls, which record what they are given and do as they are told. One at a
// time, one thread.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <string>
#include <vector>

#include "libbundle/core/address.h"
#include "preload/datagrams/packet_info.h"
#include "preload/process/symbols.h"

namespace px::shim {

struct FakeLibc {
  FakeLibc() {
    here = this;
    symbols.send = [](int, const void*, size_t, int) -> ssize_t { return here->result("send"); };
    symbols.sendto = [](int, const void*, size_t, int, const sockaddr*, socklen_t) -> ssize_t {
      return here->result("sendto");
    };
    symbols.sendmsg = [](int, const msghdr* message, int) -> ssize_t {
      return here->result("sendmsg" + info_of(*message));
    };
    symbols.sendmmsg = [](int, mmsghdr* messages, unsigned count, int) -> int {
      std::string call = "sendmmsg";
      for (unsigned i = 0; i < count; ++i) call += info_of(messages[i].msg_hdr);
      int result = here->result(call);
      if (result > 0) result = std::min(result, static_cast<int>(count));
      for (int i = 0; i < result; ++i) messages[i].msg_len = 7;
      return result;
    };
    symbols.recvfrom = [](int, void*, size_t, int, sockaddr*, socklen_t*) -> ssize_t {
      return here->result("recvfrom");
    };
    symbols.recvmsg = [](int, msghdr* message, int) -> ssize_t {
      const int result = here->result("recvmsg");
      if (result >= 0) here->deliver(message);
      return result;
    };
    symbols.recvmmsg = [](int, mmsghdr* messages, unsigned count, int flags, timespec*) -> int {
      const bool now = (flags & MSG_DONTWAIT) != 0;
      int result =
          here->result(std::string("recvmmsg ") + std::to_string(count) + (now ? " now" : ""));
      result = std::min(result, static_cast<int>(count));
      for (int i = 0; i < result; ++i) here->deliver(&messages[i].msg_hdr);
      return result;
    };
  }
  ~FakeLibc() { here = nullptr; }

  // A negative result is an errno; the default is 1.
  int result(const std::string& call) {
    calls.push_back(call);
    if (results.empty()) return 1;
    const int result = results.front();
    results.pop_front();
    if (result >= 0) return result;
    errno = -result;
    return -1;
  }

  // " ADDRESS%INTERFACE" of the control data, and how much other data there is.
  static std::string info_of(const msghdr& message) {
    const auto info = received_packet_info(message);
    if (!info) return " -";
    std::array<char, bundle::kAddressTextSize> buffer;
    std::string text = " ";
    text += bundle::address_text(info->address, buffer);
    return text + "%" + std::to_string(info->interface);
  }

  // A datagram from `peer` to `called`, whose TOS the program asked for.
  void deliver(msghdr* message) const {
    if (message->msg_name != nullptr) {
      sockaddr_storage storage;
      const socklen_t length = bundle::sockaddr_from_endpoint(peer, AF_INET, &storage);
      std::memcpy(message->msg_name, &storage, std::min(length, message->msg_namelen));
      message->msg_namelen = length;
    }
    in_pktinfo info{};
    info.ipi_ifindex = static_cast<int>(called.interface);
    std::memcpy(&info.ipi_spec_dst, called.address.bytes.data() + 12, 4);
    const std::uint8_t tos = 8;
    alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof info) + CMSG_SPACE(1)> room{};
    msghdr made{};
    made.msg_control = room.data();
    made.msg_controllen = room.size();
    cmsghdr* header = CMSG_FIRSTHDR(&made);
    header->cmsg_level = IPPROTO_IP;
    header->cmsg_type = IP_PKTINFO;
    header->cmsg_len = CMSG_LEN(sizeof info);
    std::memcpy(CMSG_DATA(header), &info, sizeof info);
    header = reinterpret_cast<cmsghdr*>(room.data() + CMSG_SPACE(sizeof info));
    header->cmsg_level = IPPROTO_IP;
    header->cmsg_type = IP_TOS;
    header->cmsg_len = CMSG_LEN(sizeof tos);
    std::memcpy(CMSG_DATA(header), &tos, sizeof tos);
    pass_control_data(made, {.ipv4 = true, .ipv6 = true}, message);
  }

  static inline FakeLibc* here = nullptr;
  Symbols symbols;
  std::vector<std::string> calls;
  std::deque<int> results;
  bundle::Endpoint peer{.address = bundle::ipv4_address(0xc6336401), .port = 443};
  PacketInfo called{.address = bundle::ipv4_address(0x0a010002), .interface = 2};
};

}  // namespace px::shim
