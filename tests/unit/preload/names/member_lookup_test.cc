// SPDX-License-Identifier: MIT
#include "preload/names/member_lookup.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "libbundle/core/text.h"
#include "preload/names/members_text.h"
#include "tests/unit/preload/names/fake_resolver.h"
#include "tests/unit/preload/shim_session.h"

namespace px::shim {
namespace {

class MemberLookupTest : public testing::Test {
 protected:
  MemberLookupTest() {
    broker_.plan.publish_without_rules();
    (void)shim_.session.ensure_session();
    resolver_.hosts["www"] = {"192.168.0.1", "10.0.0.1"};
    resolver_.hosts["six"] = {"2001:db8::6"};
    resolver_.hosts["both"] = {"2001:db8::7", "10.0.0.7"};
  }

  int look_up(std::string_view text, AddressHints hints = {}) {
    const bundle::Notation notation = bundle::parse_notation(text);
    EXPECT_EQ(notation.kind, bundle::NotationKind::kMembers) << text;
    return look_up_members(ordered_, profile_, notation.members(), hints, &found_);
  }
  // In the order found; `|` before an alternative.
  std::string listed(std::string_view text, AddressHints hints = {}) {
    if (const int error = look_up(text, hints); error != 0) return ::gai_strerror(error);
    std::string list;
    for (std::uint32_t i = 0; i < found_.count; ++i) {
      if (i > 0) list += (found_.alternatives >> i & 1) != 0 ? '|' : ',';
      std::array<char, bundle::kAddressTextSize> buffer;
      list += bundle::address_text(found_.endpoints[i].address, buffer);
    }
    return list;
  }

  FakeResolver resolver_;
  TestBroker broker_;
  StartedSession shim_;
  EarlyQuestions early_;
  RecentAnswers recent_;
  ProfileNames profile_{shim_.settings,  shim_.plan, shim_.session,
                        &request_lookup, early_,     recent_};
  AnswerNotes notes_{resolver_.symbols, shim_.plan, profile_, shim_.answered};
  OrderedLookup ordered_{notes_, kBareSystemCalls, shim_.plan, shim_.decider};
  bundle::Bundle found_;
};

TEST_F(MemberLookupTest, ANameIsReplacedByAllItsAddressesInPlace) {
  EXPECT_EQ(listed("<www,127.0.0.1,::1>"), "192.168.0.1,10.0.0.1,127.0.0.1,::1");
  EXPECT_EQ(listed("{::1,www}"), "::1,192.168.0.1,10.0.0.1");
  EXPECT_EQ(listed("six.and.10.0.0.9.bundle"), "2001:db8::6,10.0.0.9");
  EXPECT_EQ(listed("<six|www>"), "2001:db8::6|192.168.0.1,10.0.0.1");
}

TEST_F(MemberLookupTest, AddressesAreNotAskedFor) {
  EXPECT_EQ(listed("<10.0.0.1,2001:db8::1>"), "10.0.0.1,2001:db8::1");
  EXPECT_TRUE(resolver_.asked.empty());
}

TEST_F(MemberLookupTest, WhatIsThereTwiceIsKeptOnce) {
  EXPECT_EQ(listed("<10.0.0.1,www,::ffff:10.0.0.1>"), "10.0.0.1,192.168.0.1");
}

TEST_F(MemberLookupTest, AMemberThatFailsIsLeftOutAndAllFailWithItsError) {
  EXPECT_EQ(listed("<gone,10.0.0.1>"), "10.0.0.1");
  EXPECT_EQ(look_up("<gone,lost>"), EAI_NONAME);
  EXPECT_EQ(resolver_.asked, (std::vector<std::string>{"gone", "gone", "lost"}));
  resolver_.error = EAI_AGAIN;
  EXPECT_EQ(look_up("<gone,lost>"), EAI_AGAIN);
}

TEST_F(MemberLookupTest, NumericHostMeansThatNobodyIsAsked) {
  const AddressHints numeric{.family = AF_UNSPEC, .flags = AI_NUMERICHOST};
  EXPECT_EQ(look_up("<www,10.0.0.1>", numeric), EAI_NONAME);
  EXPECT_EQ(listed("<10.0.0.1,::1>", numeric), "10.0.0.1,::1");
  EXPECT_TRUE(resolver_.asked.empty());
}

TEST_F(MemberLookupTest, AFamilyHasItsMembersAlone) {
  const AddressHints ipv4{.family = AF_INET, .flags = 0};
  const AddressHints ipv6{.family = AF_INET6, .flags = 0};
  EXPECT_EQ(listed("<10.0.0.1,::1,both>", ipv4), "10.0.0.1,10.0.0.7");
  EXPECT_EQ(listed("<10.0.0.1,::1,both>", ipv6), "::1,2001:db8::7");
  EXPECT_EQ(look_up("<10.0.0.1,10.0.0.2>", ipv6), EAI_ADDRFAMILY);
  EXPECT_EQ(look_up("<::1>", ipv4), EAI_ADDRFAMILY);
}

TEST_F(MemberLookupTest, MappedAddressesComeWhereThereIsNoIpv6OrAllIsWanted) {
  const AddressHints mapped{.family = AF_INET6, .flags = AI_V4MAPPED};
  const AddressHints all{.family = AF_INET6, .flags = AI_V4MAPPED | AI_ALL};
  EXPECT_EQ(listed("<10.0.0.1,10.0.0.2>", mapped), "10.0.0.1,10.0.0.2");
  EXPECT_EQ(listed("<10.0.0.1|::1,::2>", mapped), "::1,::2");
  EXPECT_EQ(listed("<10.0.0.1|::1,::2>", all), "10.0.0.1|::1,::2");
}

TEST_F(MemberLookupTest, AZoneIsAnInterface) {
  ASSERT_EQ(look_up("<fe80::1%lo,10.0.0.1>"), 0);
  EXPECT_EQ(found_.endpoints[0].scope, 1u);
  EXPECT_EQ(listed("<fe80::1%nothing0,10.0.0.1>"), "10.0.0.1");
  EXPECT_EQ(look_up("<fe80::1%nothing0>"), EAI_NONAME);
}

TEST_F(MemberLookupTest, MoreThanFitAreLeftOutAndSaidToBe) {
  for (int n = 1; n <= 20; ++n) resolver_.hosts["many"].push_back("10.1.0." + std::to_string(n));
  ASSERT_EQ(look_up("<many>"), 0);
  EXPECT_EQ(found_.count, bundle::kMostMembers);
  EXPECT_TRUE(found_.truncated);
}

// Under a profile with servers of its own, with libc as it calls the service px for some names.
class EarlyMembersTest : public MemberLookupTest {
 protected:
  EarlyMembersTest() {
    here = this;
    broker_.plan.names = {plan::NamesFrom::kProfile, 1, 5, 2};
    broker_.plan.publish_without_rules();
    resolver_.symbols.getaddrinfo = &call;
    of_others_["db"] = "10.0.0.5";
    of_px_["www"] = "192.168.0.1";
    of_px_["mail"] = "192.168.0.2";
  }
  ~EarlyMembersTest() override { here = nullptr; }

  static int call(const char* node, const char*, const addrinfo*, addrinfo** list) {
    EarlyQuestion* const early = here->early_.find(node);
    const bool only_asks = early != nullptr && early->only_asks;
    here->calls_.push_back(std::string(node) + (only_asks ? "?" : ""));
    const auto known = here->of_others_.find(node);
    const auto found = known != here->of_others_.end() ? known : here->of_px_.find(node);
    if (known == here->of_others_.end() && only_asks) {
      early->connection = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
      return EAI_AGAIN;
    }
    if (found == here->of_px_.end()) return EAI_NONAME;
    if (here->waits_ && !only_asks) {
      here->is_waiting_ = true;
      (void)::poll(nullptr, 0, -1);  // here a thread can be cancelled
    }
    addrinfo numeric{};
    numeric.ai_flags = AI_NUMERICHOST;
    numeric.ai_socktype = SOCK_STREAM;
    return ::getaddrinfo(found->second.c_str(), nullptr, &numeric, list);
  }

  static void* look_up_many(void* test) {
    (void)static_cast<EarlyMembersTest*>(test)->look_up("<www,db,mail>");
    return nullptr;
  }

  static inline EarlyMembersTest* here = nullptr;
  std::map<std::string, std::string> of_others_;
  std::map<std::string, std::string> of_px_;
  std::vector<std::string> calls_;
  bool waits_ = false;
  std::atomic<bool> is_waiting_{false};
};

TEST_F(EarlyMembersTest, AllAreAskedBeforeOneIsWaitedFor) {
  EXPECT_EQ(listed("<www,10.0.0.1,mail>"), "192.168.0.1,10.0.0.1,192.168.0.2");
  EXPECT_EQ(calls_, (std::vector<std::string>{"www?", "mail?", "www", "mail"}));
}

TEST_F(EarlyMembersTest, WhatAnotherServiceKnowsIsNotAskedTwice) {
  EXPECT_EQ(listed("<db,gone,mail>"), "10.0.0.5,192.168.0.2");
  EXPECT_EQ(calls_, (std::vector<std::string>{"db?", "gone?", "mail?", "gone", "mail"}));
}

TEST_F(EarlyMembersTest, OneNameAloneNeedsNoHaste) {
  EXPECT_EQ(listed("<www,10.0.0.1>"), "192.168.0.1,10.0.0.1");
  EXPECT_EQ(calls_, std::vector<std::string>{"www"});
}

TEST_F(EarlyMembersTest, WithoutPlacesTheyAreAskedInTurn) {
  std::vector<EarlyQuestion*> taken;
  while (EarlyQuestion* one = early_.claim("www")) taken.push_back(one);
  EXPECT_EQ(listed("<www,mail>"), "192.168.0.1,192.168.0.2");
  EXPECT_EQ(calls_, (std::vector<std::string>{"www", "mail"}));
  for (EarlyQuestion* one : taken) EarlyQuestions::release(one);
  // Each lookup has given its places back.
  for (int i = 0; i < 100; ++i) EXPECT_EQ(listed("<www,mail>"), "192.168.0.1,192.168.0.2");
  EXPECT_EQ(calls_.back(), "mail");
  EXPECT_EQ(calls_[calls_.size() - 3], "mail?");
}

// As in lookup_request_test.cc.
#ifndef __SANITIZE_ADDRESS__
TEST_F(EarlyMembersTest, ACancelledThreadGivesThemBack) {
  waits_ = true;
  pthread_t thread{};
  const int before = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ASSERT_EQ(::pthread_create(&thread, nullptr, &look_up_many, this), 0);
  while (!is_waiting_) std::this_thread::yield();
  EXPECT_EQ(::pthread_cancel(thread), 0);
  void* result = nullptr;
  EXPECT_EQ(::pthread_join(thread, &result), 0);
  EXPECT_EQ(result, PTHREAD_CANCELED);
  const int after = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  EXPECT_EQ(after, before + 1) << "what was open in between is closed";
  ::close(after);
  ::close(before);
  std::size_t free = 0;
  while (early_.claim("www") != nullptr) ++free;
  EXPECT_EQ(free, 32u);
}
#endif

TEST_F(EarlyMembersTest, APlaceIsKnownByItselfAlone) {
  EXPECT_EQ(early_.claim(std::string(EarlyQuestion::kNameSize, 'a')), nullptr);
  EarlyQuestion* const one = early_.claim("www");
  ASSERT_NE(one, nullptr);
  EXPECT_EQ(early_.find(one->name), one);
  EXPECT_EQ(early_.find("www"), nullptr);
  EarlyQuestions::release(one);
}

std::string named(std::string_view text, std::size_t size = 255) {
  const bundle::Notation notation = bundle::parse_notation(text);
  std::string buffer(size, '\0');
  return std::string(members_text(notation.members(), buffer));
}

TEST(MembersTextTest, SortsAddressesBeforeNames) {
  EXPECT_EQ(named("<WWW,::1,10.0.0.2,10.0.0.1,abc>"), "<10.0.0.1,10.0.0.2,::1,abc,www>");
  EXPECT_EQ(named("www.and.10.0.0.1.bundle"), "<10.0.0.1,www>");
  EXPECT_EQ(named("<www,fe80::1%lo>"), "<fe80::1%lo,www>");
}

TEST(MembersTextTest, SortsAlternativesByTheirFirstMembers) {
  EXPECT_EQ(named("<www,10.0.0.2|10.0.0.1,x>"), "<10.0.0.1,x|10.0.0.2,www>");
}

TEST(MembersTextTest, AFixedPointAndWithoutDoubles) {
  EXPECT_EQ(named("<www,10.0.0.1,WWW>"), "<10.0.0.1,www>");
  EXPECT_EQ(named(named("<b,a|10.0.0.1,c>")), named("<b,a|10.0.0.1,c>"));
}

TEST(MembersTextTest, IsEmptyWithoutANameAndWithoutRoom) {
  EXPECT_EQ(named("<10.0.0.1,::1>"), "");
  EXPECT_EQ(named("<www,10.0.0.1>", 14), "<10.0.0.1,www>");
  EXPECT_EQ(named("<www,10.0.0.1>", 13), "");
}

}  // namespace
}  // namespace px::shim
