// SPDX-License-Identifier: MIT
#include "netlink/message_builder.h"

#include <gtest/gtest.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>

#include <string>
#include <vector>

#include "netlink/attributes.h"
#include "netlink/generic_family.h"
#include "tests/unit/netlink/kernel_state_fixture.h"

namespace px::netlink {
namespace {

using test::addr;

const nlmsghdr& built(const MessageBuilder& message) {
  return *nlmsg_hdr(message.get());
}

TEST(NetlinkMessageBuilder, WhatIsPutIsRead) {
  MessageBuilder message(RTM_NEWROUTE, NLM_F_CREATE, rtmsg{});
  message.put_u8(1, 0x12);
  message.put_u16(2, 0x1234);
  message.put_u32(3, 0x12345678);
  message.put_text(4, "eth0");
  message.put_address(5, addr("192.0.2.1"), true);
  message.put_address(6, addr("2001:db8::1"), false);
  message.put_address(7, addr("192.0.2.1"), false);
  EXPECT_EQ(built(message).nlmsg_type, RTM_NEWROUTE);
  EXPECT_EQ(built(message).nlmsg_flags & NLM_F_CREATE, NLM_F_CREATE);
  ASSERT_NE(header_of<rtmsg>(built(message)), nullptr);
  const Attributes attributes(built(message), sizeof(rtmsg));
  EXPECT_EQ(attributes.u8(1), 0x12);
  EXPECT_EQ(attributes.u16(2), 0x1234);
  EXPECT_EQ(attributes.u32(3), 0x12345678U);
  EXPECT_EQ(attributes.text(4), "eth0");
  EXPECT_EQ(attributes.address(5), addr("192.0.2.1"));
  EXPECT_EQ(attributes.address(6), addr("2001:db8::1"));
  EXPECT_EQ(attributes.bytes(7)->size(), 16U);
  EXPECT_EQ(attributes.bytes(4)->size(), sizeof "eth0");
}

TEST(NetlinkMessageBuilder, WhatIsMissingOrOfAnotherSizeIsAbsent) {
  MessageBuilder message(RTM_NEWROUTE, 0, rtmsg{});
  message.put_u16(1, 7);
  const Attributes attributes(built(message), sizeof(rtmsg));
  EXPECT_EQ(attributes.u8(1), std::nullopt);
  EXPECT_EQ(attributes.u32(1), std::nullopt);
  EXPECT_EQ(attributes.address(1), std::nullopt);
  EXPECT_TRUE(attributes.has(1));
  EXPECT_FALSE(attributes.has(2));
  EXPECT_EQ(attributes.text(2), "");
  EXPECT_TRUE(attributes.list(2).empty());
}

TEST(NetlinkMessageBuilder, NestsHoldWhatIsPutIntoThem) {
  MessageBuilder message(RTM_NEWLINK, 0, ifinfomsg{});
  message.put_nested(1, [&] {
    message.put_u32(1, 10);
    message.put_nested(2, [&] { message.put_text(1, "inner"); });
  });
  message.put_u32(2, 20);
  const Attributes attributes(built(message), sizeof(ifinfomsg));
  EXPECT_EQ(attributes.nested(1).u32(1), 10U);
  EXPECT_EQ(attributes.nested(1).nested(2).text(1), "inner");
  EXPECT_EQ(attributes.u32(2), 20U);
  ASSERT_EQ(attributes.list(1).size(), 2U);
  EXPECT_EQ(attributes.list(1).back().text(1), "inner");
}

TEST(NetlinkMessageBuilder, WhatDoesNotFitLeavesNoMessage) {
  MessageBuilder message(RTM_NEWLINK, 0, ifinfomsg{});
  message.put_bytes(1, std::vector<std::byte>(60'000));
  message.put_u32(2, 1);
  EXPECT_EQ(message.get(), nullptr);
}

TEST(NetlinkMessageBuilder, OfAGenericFamilyHasItsCommand) {
  MessageBuilder message = generic_request({31, {}}, 5, 1);
  message.put_u32(1, 9);
  EXPECT_EQ(built(message).nlmsg_type, 31);
  const auto parsed = parse_generic(built(message));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->command, 5);
  EXPECT_EQ(parsed->attributes.u32(1), 9U);
}

}  // namespace
}  // namespace px::netlink
