// SPDX-License-Identifier: MIT
// What is noted of answers, seen at the decision: the rule blocks all names below corp.example, and
// nothing else.
#include "preload/names/answer_notes.h"

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <string>
#include <vector>

#include "libbundle/core/notation.h"
#include "preload/names/name_service.h"
#include "tests/unit/preload/names/fake_resolver.h"
#include "tests/unit/preload/names/fake_servers.h"
#include "tests/unit/preload/names/name_rule_plan.h"

namespace px::shim {
namespace {

using dns::test::Reply;
using plan::LookupOutcome;

class AnswerNotesTest : public testing::Test {
 protected:
  AnswerNotesTest() {
    here = this;
    use_servers_of(plan::NamesFrom::kHost);
    EXPECT_TRUE(servers_.shim.session.ensure_session());
    resolver_.symbols.gethostbyname2_r = [](const char* name, int, hostent* entry, char*,
                                            std::size_t, hostent** found, int*) {
      here->asked_for_aliases.emplace_back(name);
      *entry = here->aliases.host();
      *found = here->aliases.names.empty() ? nullptr : entry;
      errno = ENOENT;
      return 0;
    };
  }
  ~AnswerNotesTest() override { here = nullptr; }

  void use_servers_of(plan::NamesFrom from) {
    servers_.broker.plan.names = {from, 1, 5, 2};
    publish_block_below(servers_.broker.plan, "corp.example");
  }
  [[nodiscard]] bool blocks(const char* destination) {
    plan::Call call{.destination = *bundle::address_from_text(destination), .port = 80};
    return servers_.shim.decider.decide(call).action == plan::Action::kRefuse;
  }
  // "CANONICAL FLAGS ADDRESS...", as the program sees it; but for a flag of the fake's own.
  std::string looked_up(const char* name, int flags = 0) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = flags;
    addrinfo* list = nullptr;
    const int error = notes_.getaddrinfo(name, "80", &hints, &list);
    if (error != 0) return ::gai_strerror(error);
    std::string text = list->ai_canonname == nullptr ? "-" : list->ai_canonname;
    text += " " + std::to_string(list->ai_flags & ~AI_NUMERICHOST);
    for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
      std::array<char, bundle::kAddressTextSize> buffer;
      const auto endpoint = bundle::endpoint_from_sockaddr(entry->ai_addr, entry->ai_addrlen);
      text += " " + std::string(bundle::address_text(endpoint->address, buffer));
    }
    ::freeaddrinfo(list);
    return text;
  }

  // A hostent of names: the canonical one last, the others aliases.
  struct Host {
    hostent host() {
      pointers.clear();
      for (std::string& name : names) pointers.push_back(name.data());
      hostent made{};
      if (names.empty()) return made;
      made.h_name = pointers.back();
      pointers.back() = nullptr;
      made.h_aliases = pointers.data();
      made.h_addrtype = AF_INET;
      made.h_length = 4;
      made.h_addr_list = addresses.data();
      return made;
    }
    std::vector<std::string> names;
    std::vector<char*> pointers;
    std::array<char, 4> address{10, 0, 0, 7};
    std::array<char*, 2> addresses{address.data(), nullptr};
  };

  static inline AnswerNotesTest* here = nullptr;
  std::vector<std::string> asked_for_aliases;
  Host aliases;
  FakeResolver resolver_;
  FakeServers servers_;
  AnswerNotes notes_{resolver_.symbols, servers_.shim.plan, servers_.names, servers_.shim.answered};
};

TEST_F(AnswerNotesTest, TheNameThatWasAskedCounts) {
  resolver_.hosts["git.corp.example"] = {"10.0.0.1", "2001:db8::1"};
  resolver_.hosts["www.example"] = {"10.0.0.2"};
  EXPECT_FALSE(blocks("10.0.0.1"));
  EXPECT_EQ(looked_up("git.corp.example"), "- 0 10.0.0.1 2001:db8::1");
  EXPECT_EQ(looked_up("www.example"), "- 0 10.0.0.2");
  EXPECT_TRUE(blocks("10.0.0.1"));
  EXPECT_TRUE(blocks("2001:db8::1"));
  EXPECT_FALSE(blocks("10.0.0.2"));
  EXPECT_FALSE(blocks("10.0.0.3"));
}

TEST_F(AnswerNotesTest, TheNameAskedLastCounts) {
  resolver_.hosts["git.corp.example"] = resolver_.hosts["www.example"] = {"10.0.0.1"};
  (void)looked_up("git.corp.example");
  EXPECT_TRUE(blocks("10.0.0.1"));
  (void)looked_up("www.example");
  EXPECT_FALSE(blocks("10.0.0.1"));
  (void)looked_up("GIT.corp.example.");
  EXPECT_FALSE(blocks("10.0.0.1")) << "it has no address";
  resolver_.hosts["GIT.Corp.example."] = {"10.0.0.1"};
  (void)looked_up("GIT.Corp.example.");
  EXPECT_TRUE(blocks("10.0.0.1"));
}

// The program's list is as libc would have made it.
TEST_F(AnswerNotesTest, TheCanonicalNameIsAskedAndTakenOutAgain) {
  resolver_.hosts["www.example"] = {"10.0.0.2", "10.0.0.3"};
  EXPECT_EQ(looked_up("www.example", AI_V4MAPPED),
            "- " + std::to_string(AI_V4MAPPED) + " 10.0.0.2 10.0.0.3");
  EXPECT_EQ(looked_up("www.example", AI_CANONNAME),
            "10.0.0.2 " + std::to_string(AI_CANONNAME) + " 10.0.0.2 10.0.0.3");
  EXPECT_EQ(looked_up("10.0.0.9"), "- 0 10.0.0.9");
  EXPECT_EQ(looked_up("nowhere.example"), "Name or service not known");
}

// The fake's canonical name is the address's text: another one than was asked.
TEST_F(AnswerNotesTest, NamesInTheMiddleComeFromLibcsAliases) {
  resolver_.hosts["www.example"] = {"10.0.0.2"};
  aliases.names = {"www.example", "web.corp.example", "cdn.example"};
  errno = EAGAIN;
  h_errno = TRY_AGAIN;
  (void)looked_up("www.example");
  EXPECT_EQ(errno, EAGAIN);
  EXPECT_EQ(h_errno, TRY_AGAIN);
  EXPECT_EQ(asked_for_aliases, (std::vector<std::string>{"www.example"}));
  EXPECT_TRUE(blocks("10.0.0.2"));
}

TEST_F(AnswerNotesTest, HostentsHaveAllNames) {
  aliases.names = {"www.example", "web.corp.example", "cdn.example"};
  const hostent host = aliases.host();
  notes_.note("other.example", &host);
  EXPECT_TRUE(blocks("10.0.0.7"));
  aliases.names = {"www.example"};
  const hostent without = aliases.host();
  notes_.note("www.example", &without);
  EXPECT_FALSE(blocks("10.0.0.7"));
  notes_.note("git.corp.example", &without);
  EXPECT_TRUE(blocks("10.0.0.7"));
  notes_.note("git.corp.example", static_cast<const hostent*>(nullptr));
}

TEST_F(AnswerNotesTest, RepliesHaveAllNames) {
  Reply reply("www.example", dns::kA);
  reply.name("www.example", dns::kCname, "Web.corp.example")
      .name("web.corp.example", dns::kCname, "cdn.example");
  reply.address("cdn.example", "10.0.0.4").address("other.example", "10.0.0.5");
  const auto& bytes = reply.bytes;
  notes_.note(nullptr, bytes);
  EXPECT_TRUE(blocks("10.0.0.4"));
  EXPECT_FALSE(blocks("10.0.0.5")) << "of another name";
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    notes_.note("www.example", std::span(bytes).first(size));
  }
}

// The service has noted the whole chain when getaddrinfo(3) returns, which knows less.
TEST_F(AnswerNotesTest, WhatTheProfilesServersSaidIsNotAskedAgain) {
  use_servers_of(plan::NamesFrom::kProfile);
  NameService service(servers_.names, notes_);
  Reply reply("www.example", dns::kA);
  reply.name("www.example", dns::kCname, "web.corp.example")
      .name("web.corp.example", dns::kCname, "cdn.example");
  reply.address("cdn.example", "10.0.0.4");
  servers_.answer_with(LookupOutcome::kAnswered, {reply.bytes, {}});
  std::array<char, 4096> room{};
  int error = 0;
  int host_error = 0;
  gaih_addrtuple* list = nullptr;
  ASSERT_EQ(
      service.find_addresses("www.example", &list, {room.data(), room.size(), &error, &host_error}),
      NSS_STATUS_SUCCESS);
  EXPECT_TRUE(blocks("10.0.0.4"));
  resolver_.hosts["www.example"] = {"10.0.0.4"};
  (void)looked_up("www.example");
  EXPECT_TRUE(blocks("10.0.0.4"));
  EXPECT_TRUE(asked_for_aliases.empty());
}

TEST_F(AnswerNotesTest, AMemberKeepsTheNamesOfItsOwnBundle) {
  const auto one = [](std::string_view address) {
    bundle::Bundle bundle;
    bundle.count = 1;
    bundle.endpoints[0].address = *bundle::address_from_text(address);
    return bundle;
  };
  const auto note = [&](const char* asked, const char* notation, std::string_view address) {
    const bundle::Notation parsed = bundle::parse_notation(notation);
    notes_.note(asked, parsed.members(), one(address));
  };
  note("git.corp.example", "<10.0.0.1>", "10.0.0.1");
  EXPECT_TRUE(blocks("10.0.0.1"));
  note("db.example", "<10.0.0.1>", "10.0.0.1");
  EXPECT_FALSE(blocks("10.0.0.1")) << "a name of another bundle";
  resolver_.hosts["web.corp.example"] = {"10.0.0.2"};
  (void)looked_up("web.corp.example");
  note("db.example", "<10.0.0.1,Web.corp.example>", "10.0.0.2");
  EXPECT_TRUE(blocks("10.0.0.2")) << "a name of its own member";
  note("db.example", "<10.0.0.2>", "10.0.0.2");
  EXPECT_FALSE(blocks("10.0.0.2"));
  resolver_.hosts["www.example"] = {"10.0.0.3"};
  aliases.names = {"www.example", "web.corp.example", "cdn.example"};
  (void)looked_up("www.example");
  note("www.example", "www.example", "10.0.0.3");
  EXPECT_TRUE(blocks("10.0.0.3")) << "an alias of the policy, with names of its own";
}

TEST_F(AnswerNotesTest, WithoutRulesByNameLibcIsCalledAsItIs) {
  servers_.broker.plan.publish_block();
  resolver_.hosts["www.example"] = {"10.0.0.2"};
  (void)looked_up("www.example");
  EXPECT_TRUE(servers_.shim.answered.empty());
  EXPECT_TRUE(asked_for_aliases.empty());
}

}  // namespace
}  // namespace px::shim
