// SPDX-License-Identifier: MIT
#include "preload/datagrams/packet_info.h"

#include <gtest/gtest.h>
#include <netinet/in.h>

#include <array>
#include <cstring>
#include <vector>

#include "tests/unit/preload/shim_fixture.h"

namespace px::shim {
namespace {

using Room = std::array<std::byte, 256>;

// One header of control data after another.
class Control {
 public:
  Control& add(int level, int type, std::size_t size) {
    cmsghdr header{};
    header.cmsg_level = level;
    header.cmsg_type = type;
    header.cmsg_len = CMSG_LEN(size);
    std::memcpy(room_.data() + length_, &header, sizeof header);
    std::memset(room_.data() + length_ + sizeof header, static_cast<int>(length_ + 1), size);
    length_ += CMSG_SPACE(size);
    return *this;
  }
  template <typename Value>
  Control& add_value(int level, int type, const Value& value) {
    const std::size_t at = length_;
    add(level, type, sizeof value);
    std::memcpy(room_.data() + at + CMSG_LEN(0), &value, sizeof value);
    return *this;
  }
  [[nodiscard]] msghdr message() {
    msghdr made{};
    made.msg_control = room_.data();
    made.msg_controllen = length_;
    return made;
  }

 private:
  alignas(cmsghdr) Room room_{};
  std::size_t length_ = 0;
};

TEST(PacketInfo, IsFoundAmongOtherControlData) {
  EXPECT_FALSE(has_packet_info(msghdr{}));
  EXPECT_FALSE(has_packet_info(Control().add(IPPROTO_IP, IP_TTL, 4).message()));
  EXPECT_TRUE(has_packet_info(
      Control().add(IPPROTO_IP, IP_TTL, 4).add(IPPROTO_IP, IP_PKTINFO, 12).message()));
  EXPECT_TRUE(has_packet_info(Control().add(IPPROTO_IPV6, IPV6_PKTINFO, 20).message()));
  EXPECT_TRUE(has_packet_info(Control().add(IPPROTO_IPV6, IPV6_2292PKTINFO, 20).message()));
}

TEST(PacketInfo, AHeaderThatDoesNotFitEndsTheWalk) {
  Control control;
  msghdr message = control.add(IPPROTO_IP, IP_PKTINFO, 12).message();
  message.msg_controllen -= 8;
  EXPECT_FALSE(has_packet_info(message));
  message.msg_controllen = 3;
  EXPECT_FALSE(has_packet_info(message));
  cmsghdr header{};
  std::memcpy(message.msg_control, &header, sizeof header);  // a length of 0
  message.msg_controllen = 64;
  EXPECT_FALSE(has_packet_info(message));
}

TEST(PacketInfo, IsPutBeforeTheProgramsOwn) {
  Control program;
  const msghdr message = program.add(IPPROTO_IP, IP_TTL, 4).message();
  alignas(cmsghdr) Room room;
  msghdr made{};
  made.msg_control = room.data();
  made.msg_controllen =
      put_packet_info({.address = address("10.2.0.2"), .interface = 3}, message, room);
  ASSERT_EQ(made.msg_controllen, CMSG_SPACE(sizeof(in_pktinfo)) + CMSG_SPACE(4));
  cmsghdr* header = CMSG_FIRSTHDR(&made);
  EXPECT_EQ(header->cmsg_level, IPPROTO_IP);
  EXPECT_EQ(header->cmsg_type, IP_PKTINFO);
  in_pktinfo info;
  std::memcpy(&info, CMSG_DATA(header), sizeof info);
  EXPECT_EQ(info.ipi_ifindex, 3);
  EXPECT_EQ(info.ipi_spec_dst.s_addr, htonl(0x0a020002));
  header = CMSG_NXTHDR(&made, header);
  ASSERT_NE(header, nullptr);
  EXPECT_EQ(header->cmsg_type, IP_TTL);
  EXPECT_EQ(std::memcmp(CMSG_DATA(header), CMSG_DATA(CMSG_FIRSTHDR(&message)), 4), 0);
}

TEST(PacketInfo, OfIpv6) {
  alignas(cmsghdr) Room room;
  msghdr made{};
  made.msg_control = room.data();
  made.msg_controllen =
      put_packet_info({.address = address("fd02::2"), .interface = 3}, msghdr{}, room);
  ASSERT_EQ(made.msg_controllen, kPacketInfoSpace);
  EXPECT_EQ(CMSG_FIRSTHDR(&made)->cmsg_level, IPPROTO_IPV6);
  EXPECT_EQ(CMSG_FIRSTHDR(&made)->cmsg_type, IPV6_PKTINFO);
  const auto info = received_packet_info(made);
  ASSERT_TRUE(info);
  EXPECT_EQ(info->address, address("fd02::2"));
  EXPECT_EQ(info->interface, 3u);
}

TEST(PacketInfo, NeedsRoomForAll) {
  Control program;
  const msghdr message = program.add(IPPROTO_IP, IP_TTL, 4).message();
  alignas(cmsghdr) Room room;
  const std::size_t enough = kPacketInfoSpace + message.msg_controllen;
  EXPECT_NE(put_packet_info({}, message, std::span(room).first(enough)), 0u);
  EXPECT_EQ(put_packet_info({}, message, std::span(room).first(enough - 1)), 0u);
  msghdr huge = message;
  huge.msg_controllen = std::size_t{0} - 8;
  EXPECT_EQ(put_packet_info({}, huge, room), 0u);
}

TEST(PacketInfo, WhatIsReceivedIsTheAddressToAnswerFrom) {
  in_pktinfo ipv4{};
  ipv4.ipi_ifindex = 3;
  ipv4.ipi_spec_dst.s_addr = htonl(0x0a020002);
  ipv4.ipi_addr.s_addr = htonl(0xe00000fb);  // the group that was called
  in6_pktinfo mapped{};
  mapped.ipi6_ifindex = 3;
  const auto group = address("224.0.0.251");
  std::memcpy(&mapped.ipi6_addr, group.bytes.data(), 16);
  for (const bool first : {true, false}) {
    Control control;
    if (first) control.add_value(IPPROTO_IPV6, IPV6_PKTINFO, mapped);
    control.add_value(IPPROTO_IP, IP_PKTINFO, ipv4);
    if (!first) control.add_value(IPPROTO_IPV6, IPV6_PKTINFO, mapped);
    const auto info = received_packet_info(control.message());
    ASSERT_TRUE(info);
    EXPECT_EQ(info->address, address("10.2.0.2"));
    EXPECT_EQ(info->interface, 3u);
  }
}

TEST(PacketInfo, AnIpv6GroupIsNoSource) {
  in6_pktinfo ipv6{};
  ipv6.ipi6_ifindex = 3;
  const auto group = address("ff02::fb");
  std::memcpy(&ipv6.ipi6_addr, group.bytes.data(), 16);
  const auto info =
      received_packet_info(Control().add_value(IPPROTO_IPV6, IPV6_PKTINFO, ipv6).message());
  ASSERT_TRUE(info);
  EXPECT_EQ(info->address, plan::Address{});
  EXPECT_EQ(info->interface, 3u);
}

// What the kernel gives a program with so much room, of these headers.
struct Passed {
  std::size_t length;
  bool truncated;
  std::vector<std::size_t> lengths;
};

Passed passed(Control control, std::size_t room_size, PacketInfoKinds asked,
              bool in_place = false) {
  msghdr received = control.message();
  alignas(cmsghdr) Room room{};
  msghdr program{};
  program.msg_control = in_place ? received.msg_control : room.data();
  program.msg_controllen = room_size;
  if (room_size == 0) program.msg_control = nullptr;
  pass_control_data(received, asked, &program);
  Passed made{program.msg_controllen, (program.msg_flags & MSG_CTRUNC) != 0, {}};
  const auto* at = static_cast<const std::byte*>(program.msg_control);
  for (std::size_t left = made.length; left >= sizeof(cmsghdr);) {
    cmsghdr header;
    std::memcpy(&header, at, sizeof header);
    made.lengths.push_back(header.cmsg_len);
    const std::size_t step = std::min(CMSG_ALIGN(header.cmsg_len), left);
    at += step;
    left -= step;
  }
  return made;
}

TEST(ControlData, IsPassedOnWithoutWhatWasNotAskedFor) {
  const Control both = Control().add(IPPROTO_IP, IP_PKTINFO, 12).add(IPPROTO_IP, IP_TOS, 1);
  for (const bool in_place : {true, false}) {
    const Passed without = passed(both, 200, {}, in_place);
    EXPECT_EQ(without.lengths, std::vector<std::size_t>{CMSG_LEN(1)});
    EXPECT_EQ(without.length, CMSG_SPACE(1));
    EXPECT_FALSE(without.truncated);
    const Passed with = passed(both, 200, {.ipv4 = true, .ipv6 = false}, in_place);
    EXPECT_EQ(with.length, CMSG_SPACE(12) + CMSG_SPACE(1));
  }
}

TEST(ControlData, IsCutAsByTheKernel) {
  const Control both = Control().add(IPPROTO_IPV6, IPV6_PKTINFO, 20).add(IPPROTO_IP, IP_TTL, 4);
  EXPECT_FALSE(passed(both, CMSG_LEN(4), {}).truncated);
  EXPECT_EQ(passed(both, CMSG_LEN(4), {}).length, CMSG_LEN(4));
  const Passed cut = passed(both, CMSG_LEN(2), {});
  EXPECT_TRUE(cut.truncated);
  EXPECT_EQ(cut.lengths, std::vector<std::size_t>{CMSG_LEN(2)});
  for (const std::size_t room : {std::size_t{0}, sizeof(cmsghdr) - 1}) {
    EXPECT_TRUE(passed(both, room, {}).truncated);
    EXPECT_EQ(passed(both, room, {}).length, 0u);
  }
  const Control ours = Control().add(IPPROTO_IPV6, IPV6_PKTINFO, 20);
  EXPECT_FALSE(passed(ours, 0, {}).truncated);
}

}  // namespace
}  // namespace px::shim
