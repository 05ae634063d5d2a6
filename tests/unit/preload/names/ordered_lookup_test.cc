// SPDX-License-Identifier: MIT
#include "preload/names/ordered_lookup.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "libbundle/core/text.h"
#include "tests/unit/preload/names/fake_resolver.h"
#include "tests/unit/preload/shim_session.h"

namespace px::shim {
namespace {

using Texts = std::vector<std::string>;

class OrderedLookupTest : public testing::Test {
 protected:
  OrderedLookupTest() {
    resolver_.hosts["both"] = {"2001:db8::1", "192.0.2.1"};
    resolver_.hosts["six"] = {"2001:db8::1"};
    broker_.plan.publish_via(entry(3, "px-none0", "10.2.0.2"));
    (void)shim_.session.ensure_session();
  }

  Texts listed(const char* node, const addrinfo* hints) {
    addrinfo* list = nullptr;
    const int error = lookup_.getaddrinfo(node, "80", hints, &list);
    if (error != 0) return {::gai_strerror(error)};
    Texts texts;
    std::array<char, bundle::kAddressTextSize> buffer;
    for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
      const auto endpoint = bundle::endpoint_from_sockaddr(entry->ai_addr, entry->ai_addrlen);
      texts.emplace_back(bundle::address_text(endpoint->address, buffer));
      if (entry->ai_canonname != nullptr) texts.back() += std::string(" ") + entry->ai_canonname;
    }
    ::freeaddrinfo(list);
    return texts;
  }
  Texts listed(const char* node, int flags = 0, int family = AF_UNSPEC, int type = SOCK_STREAM) {
    addrinfo hints{};
    hints.ai_flags = flags;
    hints.ai_family = family;
    hints.ai_socktype = type;
    return listed(node, &hints);
  }

  FakeResolver resolver_;
  TestBroker broker_;
  StartedSession shim_;
  EarlyQuestions early_;
  RecentAnswers recent_;
  ProfileNames profile_{shim_.settings,  shim_.plan, shim_.session,
                        &request_lookup, early_,     recent_};
  AnswerNotes notes_{resolver_.symbols, shim_.plan, profile_, shim_.answered};
  OrderedLookup lookup_{notes_, kBareSystemCalls, shim_.plan, shim_.decider};
};

TEST_F(OrderedLookupTest, WhatThePathCannotReachIsLast) {
  EXPECT_EQ(listed("both"), (Texts{"192.0.2.1", "2001:db8::1"}));
  // All socket types of an address stay together.
  EXPECT_EQ(listed("both", 0, AF_UNSPEC, 0), (Texts{"192.0.2.1", "192.0.2.1", "192.0.2.1",
                                                    "2001:db8::1", "2001:db8::1", "2001:db8::1"}));
  broker_.plan.publish_via(entry(3, "px-none0", "fd00::2"));
  EXPECT_EQ(listed("both"), (Texts{"2001:db8::1", "192.0.2.1"}));
}

TEST_F(OrderedLookupTest, WithoutASteeredAddressAllStaysAsLibcHasIt) {
  broker_.plan.publish_system();
  EXPECT_EQ(listed("both"), (Texts{"2001:db8::1", "192.0.2.1"}));
  broker_.plan.publish_without_rules();
  EXPECT_EQ(listed("both"), (Texts{"2001:db8::1", "192.0.2.1"}));
}

TEST_F(OrderedLookupTest, AddressesWithoutAPathAreLeftOutWhereConfiguredOnesAreWanted) {
  EXPECT_EQ(listed("both", AI_ADDRCONFIG), Texts{"192.0.2.1"});
  // What no hints mean: each socket type.
  EXPECT_EQ(listed("both", nullptr), (Texts{"192.0.2.1", "192.0.2.1", "192.0.2.1"}));
  EXPECT_EQ(listed("six", AI_ADDRCONFIG), Texts{"2001:db8::1"});
  EXPECT_EQ(listed("six", AI_ADDRCONFIG, AF_INET6), Texts{::gai_strerror(EAI_NONAME)});
  EXPECT_EQ(listed("six", 0, AF_INET6), Texts{"2001:db8::1"});
}

// libc leaves them in, whatever the host has.
TEST_F(OrderedLookupTest, MappedAddressesAreNotLeftOut) {
  resolver_.hosts["mapped"] = {"2001:db8::1", "::ffff:192.0.2.1"};
  broker_.plan.publish_via(entry(3, "px-none0", "fd00::2"));
  EXPECT_EQ(listed("mapped", AI_ADDRCONFIG | AI_V4MAPPED | AI_ALL, AF_INET6).size(), 2U);
}

TEST_F(OrderedLookupTest, AFamilyWhoseEgressIsDownIsNotLeftOut) {
  broker_.plan.publish_via(entry(3, "px-none0", "10.2.0.2", 0));
  EXPECT_EQ(listed("both", AI_ADDRCONFIG), (Texts{"2001:db8::1", "192.0.2.1"}));
  EXPECT_EQ(listed("six", AI_ADDRCONFIG, AF_INET6), Texts{"2001:db8::1"});
}

TEST_F(OrderedLookupTest, TheCanonicalNameStaysInTheFirstEntry) {
  // libc's name of an address is its text.
  resolver_.hosts["one"] = {"2001:db8::1"};
  const auto with_name = [this](const char* node) { return listed(node, AI_CANONNAME); };
  EXPECT_EQ(with_name("one"), Texts{"2001:db8::1 2001:db8::1"});
  resolver_.symbols.getaddrinfo = [](const char* node, const char* service, const addrinfo* hints,
                                     addrinfo** list) {
    const int error = FakeResolver::here->look_up(node, service, hints, list);
    if (error == 0 && (*list)->ai_next != nullptr) {
      std::free((*list)->ai_next->ai_canonname);
      (*list)->ai_next->ai_canonname = nullptr;
    }
    return error;
  };
  EXPECT_EQ(with_name("both"), (Texts{"192.0.2.1 2001:db8::1", "2001:db8::1"}));
  EXPECT_EQ(listed("both", AI_CANONNAME | AI_ADDRCONFIG), Texts{"192.0.2.1 2001:db8::1"});
}

TEST_F(OrderedLookupTest, ManyAddressesAreSortedToo) {
  auto& many = resolver_.hosts["many"];
  Texts four;
  for (int n = 1; n <= 60; ++n) {
    many.push_back("2001:db8::" + std::to_string(n));
    many.push_back("192.0.2." + std::to_string(n));
    four.push_back(many.back());
  }
  Texts found = listed("many");
  EXPECT_EQ(found.size(), 120u);
  found.resize(60);
  EXPECT_EQ(found, four);
  EXPECT_EQ(listed("many", AI_ADDRCONFIG), four);
}

}  // namespace
}  // namespace px::shim
