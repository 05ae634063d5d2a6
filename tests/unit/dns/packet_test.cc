// SPDX-License-Identifier: MIT
#include "dns/packet.h"

#include <gtest/gtest.h>

#include "tests/unit/dns/packet_fixture.h"

namespace px::dns {
namespace {

using test::name_of;
using test::Reply;
using test::text_of;

TEST(Packet, AQuestionIsReadAsItWasWritten) {
  Query query{.id = 0x1234, .question = {name_of("www.example.com"), kAaaa, kInternet}};
  std::array<std::byte, kMostQuery> packet;
  const auto plain = parse_query(std::span(packet).first(write_query(query, packet)));
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->id, 0x1234);
  EXPECT_EQ(text_of(plain->question.name), "www.example.com");
  EXPECT_EQ(plain->question.type, kAaaa);
  EXPECT_TRUE(plain->recursion);
  EXPECT_FALSE(plain->authentic || plain->unchecked || plain->extended || plain->dnssec);
  query.authentic = query.unchecked = query.extended = query.dnssec = true;
  query.recursion = false;
  query.datagram_size = 1232;
  const std::size_t size = write_query(query, packet);
  EXPECT_EQ(size, 12u + 17 + 4 + kOptSize);
  const auto whole = parse_query(std::span(packet).first(size));
  ASSERT_TRUE(whole);
  EXPECT_FALSE(whole->recursion);
  EXPECT_TRUE(whole->authentic && whole->unchecked && whole->extended && whole->dnssec);
  EXPECT_EQ(whole->datagram_size, 1232);
}

TEST(Packet, WhatIsNoPlainQuestionIsNotTakenForOne) {
  const Query query{.id = 1, .question = {name_of("a"), kA, kInternet}};
  std::array<std::byte, kMostQuery> packet;
  const std::size_t size = write_query(query, packet);
  const auto with = [&](std::size_t at, int value, std::size_t length) {
    auto changed = packet;
    changed[at] = static_cast<std::byte>(value);
    return parse_query(std::span(changed).first(length)).has_value();
  };
  EXPECT_TRUE(with(0, 9, size));
  EXPECT_FALSE(with(2, 0x80, size)) << "a reply";
  EXPECT_FALSE(with(2, 0x28, size)) << "an update";
  EXPECT_FALSE(with(5, 2, size)) << "two questions";
  EXPECT_FALSE(with(7, 1, size)) << "an answer";
  EXPECT_FALSE(with(11, 1, size)) << "a record that is not there";
  EXPECT_FALSE(with(0, 0, size - 1)) << "cut";
  EXPECT_FALSE(with(0, 0, size + 1)) << "something behind it";
}

TEST(Packet, RecordsAreReadOneByOne) {
  const Reply reply = Reply("www.lab")
                          .name("www.lab", kCname, "real.lab", 30)
                          .address("real.lab", "10.0.0.1")
                          .address("real.lab", "2001:db8::1");
  Records records(reply.bytes);
  const auto alias = records.next();
  ASSERT_TRUE(alias);
  EXPECT_EQ(alias->type, kCname);
  EXPECT_EQ(alias->ttl, 30u);
  std::size_t at = alias->position;
  EXPECT_EQ(text_of(*read_name(reply.bytes, &at)), "real.lab");
  EXPECT_EQ(records.next()->data.size(), 4u);
  EXPECT_EQ(records.next()->data.size(), 16u);
  EXPECT_FALSE(records.next());
  EXPECT_FALSE(records.is_broken());
}

TEST(Packet, ABrokenPacketEnds) {
  Reply reply = Reply("www.lab").address("www.lab", "10.0.0.1").address("www.lab", "10.0.0.2");
  for (std::size_t size = 0; size < reply.bytes.size(); ++size) {
    Records records(std::span(reply.bytes).first(size));
    int count = 0;
    while (records.next()) ++count;
    EXPECT_LT(count, 2) << size;
    EXPECT_TRUE(records.is_broken()) << size;
  }
}

TEST(Packet, PointersLeadBackwards) {
  Reply reply("www.lab");
  const std::size_t begin = reply.bytes.size();
  const auto read = [&](std::initializer_list<int> bytes) {
    auto packet = reply.bytes;
    for (const int byte : bytes) packet.push_back(static_cast<std::byte>(byte));
    std::size_t at = begin;
    const auto name = read_name(packet, &at);
    if (!name) return std::string("none");
    EXPECT_EQ(at, packet.size());
    return text_of(*name);
  };
  EXPECT_EQ(read({0xc0, 12}), "www.lab");
  EXPECT_EQ(read({1, 'a', 0xc0, 16}), "a.lab");
  EXPECT_EQ(read({0xc0, static_cast<int>(begin)}), "none") << "to itself";
  EXPECT_EQ(read({1, 'a', 0xc0, static_cast<int>(begin)}), "none") << "in a circle";
  EXPECT_EQ(read({0xc0, 0xff}), "none") << "forwards";
  EXPECT_EQ(read({0xc0}), "none");
  EXPECT_EQ(read({0x80, 0}), "none") << "no such label";
}

TEST(Packet, PointersToPointersEndSomewhere) {
  for (const auto& [pointers, readable] : {std::pair{127, true}, std::pair{128, false}}) {
    Reply reply("www.lab");
    std::size_t target = kHeaderSize;
    for (int i = 0; i < pointers; ++i) {
      const std::size_t here = reply.bytes.size();
      reply.bytes.push_back(static_cast<std::byte>(0xc0 | target >> 8));
      reply.bytes.push_back(static_cast<std::byte>(target & 0xff));
      target = here;
    }
    EXPECT_EQ(read_name(reply.bytes, &target).has_value(), readable) << pointers;
  }
}

}  // namespace
}  // namespace px::dns
