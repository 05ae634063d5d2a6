// SPDX-License-Identifier: MIT
#include "libbundle/core/notation.h"

#include <gtest/gtest.h>

#include <string>

namespace px::bundle {
namespace {

std::string fault_name(NotationFault fault) {
  switch (fault) {
    case NotationFault::kNone:
      return "none";
    case NotationFault::kTooLong:
      return "long";
    case NotationFault::kBrackets:
      return "brackets";
    case NotationFault::kEmptyMember:
      return "empty";
    case NotationFault::kTooMany:
      return "many";
    case NotationFault::kAddress:
      return "address";
    case NotationFault::kZone:
      return "zone";
    case NotationFault::kName:
      return "name";
    case NotationFault::kNested:
      return "nested";
  }
  return "?";
}

std::string member_text(const Member& member) {
  if (!member.numeric) return "'" + std::string(member.text) + "'";
  std::array<char, kAddressTextSize> buffer;
  std::string text(address_text(member.address, buffer));
  if (!member.zone.empty()) text += "%" + std::string(member.zone);
  return text;
}

// `-`: not ours. `bad FAULT POSITION`. `policy NAME`. Else the members, names in quotes.
std::string parsed(std::string_view text) {
  const Notation notation = parse_notation(text);
  switch (notation.kind) {
    case NotationKind::kNone:
      return "-";
    case NotationKind::kBad:
      return "bad " + fault_name(notation.fault) + " " + std::to_string(notation.position);
    case NotationKind::kPolicyName:
      return "policy " + std::string(notation.policy_name);
    case NotationKind::kMembers:
      break;
  }
  std::string result;
  std::uint32_t group = 0;
  for (const Member& member : notation.members()) {
    if (!result.empty()) result += member.group == group ? "," : "|";
    group = member.group;
    result += member_text(member);
  }
  return result;
}

struct Case {
  const char* text;
  const char* result;
};

constexpr Case kNotOurs[] = {
    {"", "-"},
    {" ", "-"},
    {"www", "-"},
    {"www.example.com", "-"},
    {"10.0.0.1", "-"},
    {"::1", "-"},
    {"fe80::1%eth0", "-"},
    {"[::1]", "-"},
    {"a,b", "-"},
    {"a|b", "-"},
    {"(a,b)", "-"},
    {"a.and.b", "-"},
    {"bundle", "-"},
    {"bundle.", "-"},
    {"db.bundle.example.com", "-"},
    {"db.bundles", "-"},
    {"notbundle", "-"},
    {"a.and.b.bundle:80", "-"},
    {"db.bundle..", "-"},
    {"/run/db.sock", "-"},
    {"*", "-"},
};

constexpr Case kBracketed[] = {
    {"<10.0.0.1,2001:db8::1>", "10.0.0.1,2001:db8::1"},
    {"{10.0.0.1,2001:db8::1}", "10.0.0.1,2001:db8::1"},
    {"<2001:db8::1,10.0.0.1>", "2001:db8::1,10.0.0.1"},
    {"<www,127.0.0.1,::1>", "'www',127.0.0.1,::1"},
    {"<10.0.0.1>", "10.0.0.1"},
    {"<www>", "'www'"},
    {"< 10.0.0.1 ,\twww >", "10.0.0.1,'www'"},
    {"  <a,b>\t", "'a','b'"},
    {"<a|b>", "'a'|'b'"},
    {"<a,b|c>", "'a','b'|'c'"},
    {"{a | b , c | d}", "'a'|'b','c'|'d'"},
    {"<a,a>", "'a','a'"},
    {"<fe80::1%eth0,fe80::2%2>", "fe80::1%eth0,fe80::2%2"},
    {"<fe80::1%eth0.100>", "fe80::1%eth0.100"},
    {"<fe80::1%br-lan_0>", "fe80::1%br-lan_0"},
    {"<fe80::1>", "fe80::1"},
    {"<ff02::1%eth0>", "ff02::1%eth0"},
    {"<fe80::1%abcdefghijklmno>", "fe80::1%abcdefghijklmno"},
    {"<::ffff:10.0.0.1>", "10.0.0.1"},
    {"<::ffff:a00:1>", "10.0.0.1"},
    {"<2001:DB8:0:0:0:0:0:1>", "2001:db8::1"},
    {"<::,0.0.0.0>", "::,0.0.0.0"},
    {"<64:ff9b::192.0.2.1>", "64:ff9b::c000:201"},
    {"<host.example.com.,b>", "'host.example.com.','b'"},
    {"<_xmpp.example.com>", "'_xmpp.example.com'"},
    {"<3com.com,a1>", "'3com.com','a1'"},
    {"<xn--mnchen-3ya.de>", "'xn--mnchen-3ya.de'"},
    {"<bundle,and.or>", "'bundle','and.or'"},
    {"<dead,beef.0xz>", "'dead','beef.0xz'"},
    {"<a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p>",
     "'a','b','c','d','e','f','g','h','i','j','k','l','m','n','o','p'"},
};

constexpr Case kBadBrackets[] = {
    {"<", "bad brackets 1"},          {">", "bad brackets 0"},
    {"{", "bad brackets 1"},          {"<a", "bad brackets 2"},
    {"<a,", "bad brackets 3"},        {"a>", "bad brackets 1"},
    {"a,b>", "bad brackets 3"},       {"a<b>", "bad brackets 1"},
    {"<a}", "bad brackets 2"},        {"{a>", "bad brackets 2"},
    {"<a>b", "bad brackets 3"},       {"<a>:80", "bad brackets 3"},
    {"<a> b", "bad brackets 3"},      {"<a>.", "bad brackets 3"},
    {"<a><b>", "bad brackets 3"},     {"<<a>>", "bad brackets 1"},
    {"<<a>,b>", "bad brackets 1"},    {"<{a},b>", "bad brackets 1"},
    {"{<a>,b}", "bad brackets 1"},    {"<a,<b>", "bad brackets 3"},
    {"[<a,b>]", "bad brackets 1"},    {"<[::1],a>", "bad brackets 1"},
    {"<a,(b|c)>", "bad brackets 3"},  {"http://<a,b>", "bad brackets 7"},
    {"user@<a,b>", "bad brackets 5"},
};

constexpr Case kBadMembers[] = {
    {"<>", "bad empty 1"},
    {"{}", "bad empty 1"},
    {"< >", "bad empty 2"},
    {"<,>", "bad empty 1"},
    {"<|>", "bad empty 1"},
    {"<a,>", "bad empty 3"},
    {"<,a>", "bad empty 1"},
    {"<a,,b>", "bad empty 3"},
    {"<a, ,b>", "bad empty 4"},
    {"<a|>", "bad empty 3"},
    {"<|a>", "bad empty 1"},
    {"<a||b>", "bad empty 3"},
    {"<a,|b>", "bad empty 3"},
    {"<a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q>", "bad many 33"},
    {"<10.0.0.1:80,b>", "bad address 1"},
    {"<a:80>", "bad address 1"},
    {"<10.0.0>", "bad address 1"},
    {"<10.0.0.256>", "bad address 1"},
    {"<10.0.0.01>", "bad address 1"},
    {"<10.0.0.1.>", "bad address 1"},
    {"<127.1>", "bad address 1"},
    {"<1,1>", "bad address 1"},
    {"<2130706433>", "bad address 1"},
    {"<0x7f.1>", "bad address 1"},
    {"<0x7F000001>", "bad address 1"},
    {"<10.0.0.1/24>", "bad name 1"},
    {"<::1/128>", "bad address 1"},
    {"<1::2::3>", "bad address 1"},
    {"<12345::1>", "bad address 1"},
    {"<1:2:3:4:5:6:7:8:9>", "bad address 1"},
    {"<:::>", "bad address 1"},
    {"<fe80::1%>", "bad zone 1"},
    {"<fe80::1%abcdefghijklmnop>", "bad zone 1"},
    {"<fe80::1%a b>", "bad zone 1"},
    {"<fe80::1%a/b>", "bad zone 1"},
    {"<fe80::1%a%b>", "bad zone 1"},
    {"<2001:db8::1%eth0>", "bad zone 1"},
    {"<10.0.0.1%eth0>", "bad zone 1"},
    {"<169.254.0.1%eth0>", "bad zone 1"},
    {"<::ffff:169.254.0.1%eth0>", "bad zone 1"},
    {"<www%eth0>", "bad zone 1"},
    {"<%eth0>", "bad zone 1"},
    {"<a b>", "bad name 1"},
    {"<a;b>", "bad name 1"},
    {"<a\nb>", "bad name 1"},
    {"<a\x7f>", "bad name 1"},
    {"<\x01>", "bad name 1"},
    {"<m\xc3\xbcnchen.de>", "bad name 1"},
    {"<a..b>", "bad name 1"},
    {"<.a>", "bad name 1"},
    {"<.>", "bad name 1"},
    {"<a..>", "bad name 1"},
    {"<-a>", "bad name 1"},
    {"<a->", "bad name 1"},
    {"<a.-b.c>", "bad name 1"},
    {"<$(reboot)>", "bad brackets 2"},
    {"<*>", "bad name 1"},
    {"<a,db.bundle>", "bad nested 3"},
    {"<DB.BUNDLE.,a>", "bad nested 1"},
    {"<a.and.b.bundle>", "bad nested 1"},
};

constexpr Case kSpelled[] = {
    {"h1.and.h2.bundle", "'h1','h2'"},
    {"H1.AND.h2.Bundle", "'H1','h2'"},
    {"h1.and.h2.bundle.", "'h1','h2'"},
    {" h1.and.h2.bundle ", "'h1','h2'"},
    {"h1.or.h2.bundle", "'h1'|'h2'"},
    {"a.and.b.or.c.and.d.bundle", "'a','b'|'c','d'"},
    {"www.example.com.and.10.0.0.1.bundle", "'www.example.com',10.0.0.1"},
    {"10.0.0.1.and.2001-db8--1.v6.bundle", "10.0.0.1,2001:db8::1"},
    {"10.0.0.1.bundle", "10.0.0.1"},
    {"2001-db8--1.v6.bundle", "2001:db8::1"},
    {"2001-DB8--1.V6.bundle", "2001:db8::1"},
    {"0--1.v6.and.a.bundle", "::1,'a'"},
    {"--1.v6.and.a.bundle", "::1,'a'"},
    {"2001-db8--.v6.and.2001-db8--0.v6.bundle", "2001:db8::,2001:db8::"},
    {"fe80--1-seth0.v6.bundle", "fe80::1%eth0"},
    {"fe80--1-Seth0.v6.and.fe80--2-s3.v6.bundle", "fe80::1%eth0,fe80::2%3"},
    {"fe80--1-seth0.100.v6.and.a.bundle", "fe80::1%eth0.100,'a'"},
    {"fe80--1-sbr-lan.v6.bundle", "fe80::1%br-lan"},
    {"fe80--1-ss-s.v6.bundle", "fe80::1%s-s"},
    {"0--ffff-10.0.0.1.v6.bundle", "10.0.0.1"},
    {"v6.and.band.and.orb.bundle", "'v6','band','orb'"},
    {"db.bundle", "policy db.bundle"},
    {"DB.Bundle.", "policy DB.Bundle"},
    {"db.example.bundle", "policy db.example.bundle"},
    {"v6.bundle", "policy v6.bundle"},
    {"my_db-1.bundle", "policy my_db-1.bundle"},
};

constexpr Case kBadSpelled[] = {
    {".bundle", "bad empty 0"},
    {"and.bundle", "bad empty 0"},
    {"or.bundle", "bad empty 0"},
    {"and.b.bundle", "bad empty 0"},
    {"a.and.bundle", "bad empty 5"},
    {"a.and.and.b.bundle", "bad empty 6"},
    {"a.and.or.b.bundle", "bad empty 6"},
    {"..bundle", "bad name 0"},
    {"a..bundle", "bad name 2"},
    {"a..and.b.bundle", "bad name 2"},
    {".a.and.b.bundle", "bad name 0"},
    {"a.and..b.bundle", "bad name 6"},
    {"a b.bundle", "bad name 0"},
    {"-a.bundle", "bad name 0"},
    {"a.and.b-.bundle", "bad name 6"},
    {"a%20b.bundle", "bad name 0"},
    {"x\x01.bundle", "bad name 0"},
    {"10.0.0.256.bundle", "bad address 0"},
    {"1.2.3.bundle", "bad address 0"},
    {"a.and.7.bundle", "bad address 6"},
    {"2001:db8::1.and.a.bundle", "bad address 0"},
    {"2001:db8::1.v6.bundle", "bad address 0"},
    {"a:80.and.b.bundle", "bad address 0"},
    {"host.v6.bundle", "bad address 0"},
    {"10.0.0.1.v6.bundle", "bad address 0"},
    {"2001-db8-1.v6.and.a.bundle", "bad address 0"},
    {"-seth0.v6.bundle", "bad address 0"},
    {"2001-db8--1-seth0.v6.bundle", "bad zone 0"},
    {"fe80--1-s.v6.bundle", "bad zone 0"},
    {"fe80--1-sabcdefghijklmnop.v6.bundle", "bad zone 0"},
    {"a.and.db.bundle.bundle", "bad nested 6"},
    {"db.bundle.bundle", "bad nested 0"},
    {"<a,b>.bundle", "bad brackets 5"},
    {"{a}.and.b.bundle", "bad brackets 3"},
    {"a.and.b.and.c.and.d.and.e.and.f.and.g.and.h.and.i.and.j.and.k.and.l.and.m.and.n.and.o.and.p"
     ".and.q.bundle",
     "bad many 96"},
};

class Table : public testing::TestWithParam<Case> {};

TEST_P(Table, IsReadSo) {
  EXPECT_EQ(parsed(GetParam().text), GetParam().result);
}

std::string shown(const testing::TestParamInfo<Case>& info) {
  return "line" + std::to_string(info.index);
}

INSTANTIATE_TEST_SUITE_P(NotOurs, Table, testing::ValuesIn(kNotOurs), shown);
INSTANTIATE_TEST_SUITE_P(Bracketed, Table, testing::ValuesIn(kBracketed), shown);
INSTANTIATE_TEST_SUITE_P(BadBrackets, Table, testing::ValuesIn(kBadBrackets), shown);
INSTANTIATE_TEST_SUITE_P(BadMembers, Table, testing::ValuesIn(kBadMembers), shown);
INSTANTIATE_TEST_SUITE_P(Spelled, Table, testing::ValuesIn(kSpelled), shown);
INSTANTIATE_TEST_SUITE_P(BadSpelled, Table, testing::ValuesIn(kBadSpelled), shown);

std::string labels(std::size_t size) {  // a host name of this size
  std::string name;
  while (name.size() + 64 <= size) name += std::string(63, 'a') + ".";
  return name + std::string(size - name.size(), 'a');
}

TEST(Notation, LimitsOfNames) {
  EXPECT_EQ(parse_notation("<" + std::string(63, 'a') + ">").kind, NotationKind::kMembers);
  EXPECT_EQ(parsed("<" + std::string(64, 'a') + ">"), "bad name 1");
  EXPECT_EQ(parse_notation("<" + labels(253) + ">").kind, NotationKind::kMembers);
  EXPECT_EQ(parse_notation("<" + labels(253) + ".>").kind, NotationKind::kMembers);
  EXPECT_EQ(parsed("<" + labels(254) + ">"), "bad name 1");
}

TEST(Notation, LimitsOfBrackets) {
  const std::string padding(kMostNotation - 3, ' ');
  EXPECT_EQ(parsed("<a" + padding + ">"), "'a'");
  EXPECT_EQ(parsed("<a" + padding + " >"), "bad long 0");
  EXPECT_EQ(parsed(std::string(100000, '<')), "bad long 0");
  EXPECT_EQ(parsed(std::string(100000, 'a')), "-");
}

TEST(Notation, LimitsOfTheSpelledForm) {
  EXPECT_EQ(parsed("a.and." + labels(240) + ".bundle"), "'a','" + labels(240) + "'");
  EXPECT_EQ(parsed("a.and." + labels(240) + ".bundle."), "'a','" + labels(240) + "'");
  EXPECT_EQ(parsed("a.and." + labels(241) + ".bundle"), "bad long 0");
  EXPECT_EQ(parsed(std::string(64, 'a') + ".and.b.bundle"), "bad name 0");
  // A zone stands in labels, too.
  EXPECT_EQ(parsed("2001-0db8-0000-0000-0000-0000-0000-0001.v6.bundle"), "2001:db8::1");
}

TEST(Notation, NulIsNotTheEnd) {
  using namespace std::string_view_literals;
  EXPECT_EQ(parsed("<10.0.0.1\0,b>"sv), "bad name 1");
  EXPECT_EQ(parsed("<10.0.0.1>\0"sv), "bad brackets 10");
  EXPECT_EQ(parsed("a\0.bundle"sv), "bad name 0");
}

TEST(Notation, ViewsPointIntoTheText) {
  const std::string text = "<fe80::1%eth0,www>";
  const Notation notation = parse_notation(text);
  ASSERT_EQ(notation.count, 2u);
  EXPECT_EQ(notation.members()[0].text.data(), text.data() + 1);
  EXPECT_EQ(notation.members()[0].zone.data(), text.data() + 9);
  EXPECT_EQ(notation.members()[1].text.data(), text.data() + 14);
}

TEST(Notation, EveryFaultHasWords) {
  for (int fault = 0; fault <= static_cast<int>(NotationFault::kNested); ++fault) {
    EXPECT_FALSE(fault_text(static_cast<NotationFault>(fault)).empty());
  }
}

}  // namespace
}  // namespace px::bundle
