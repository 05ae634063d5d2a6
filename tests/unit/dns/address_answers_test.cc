// SPDX-License-Identifier: MIT
#include "dns/address_answers.h"

#include <gtest/gtest.h>

#include "tests/unit/dns/packet_fixture.h"

namespace px::dns {
namespace {

// The names, `:`, and how many addresses these have.
std::string read(Packet reply, const NameChain& asked = {}) {
  AddressAnswers answers(reply, asked);
  int count = 0;
  while (answers.next()) ++count;
  std::string text;
  for (auto rest = answers.names().wire(); const auto name = next_name(&rest);) {
    text += test::text_of(*name) + " ";
  }
  return text + ": " + std::to_string(count);
}

TEST(AddressAnswers, CnamesLeadFromTheQuestionToTheAddresses) {
  test::Reply reply("WWW.example");
  reply.name("www.example", kCname, "Web.corp.example");
  reply.address("other.example", "10.0.0.9");
  reply.name("web.corp.example", kCname, "-cdn.example");
  reply.address("-cdn.example", "10.0.0.1").address("-cdn.example", "2001:db8::1");
  EXPECT_EQ(read(reply.bytes), "www.example web.corp.example -cdn.example : 2");
  NameChain asked;
  asked.add(test::name_of("www"));
  EXPECT_EQ(read(reply.bytes, asked), "www www.example web.corp.example -cdn.example : 2");
}

TEST(AddressAnswers, ALoopEnds) {
  test::Reply reply("a.example");
  reply.name("a.example", kCname, "b.example").name("b.example", kCname, "a.example");
  reply.address("a.example", "10.0.0.1");
  EXPECT_EQ(read(reply.bytes), "a.example b.example : 1");
}

TEST(AddressAnswers, WhatIsBrokenEndsThem) {
  test::Reply reply("a.example");
  reply.record("a.example", kA, {10, 0, 0}).address("a.example", "10.0.0.1");
  EXPECT_EQ(read(reply.bytes), "a.example : 1") << "a short one";
  EXPECT_EQ(read({}), ": 0");
  for (std::size_t size = 0; size < reply.bytes.size(); ++size) {
    EXPECT_LE(read(std::span(reply.bytes).first(size)), "a.example : 1") << size;
  }
}

}  // namespace
}  // namespace px::dns
