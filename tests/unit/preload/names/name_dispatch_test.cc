// SPDX-License-Identifier: MIT
#include "preload/names/name_dispatch.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libbundle/core/layout.h"
#include "preload/names/host_names.h"
#include "tests/unit/preload/names/fake_resolver.h"
#include "tests/unit/preload/shim_session.h"

namespace px::shim {
namespace {

using bundle::Bundle;
using plan::BundleTransport;

using Lines = std::vector<std::string>;

// NAME=NOTATION, sorted by name; those with `!` before are aliases.
const Lines kPolicyNames = {"!*=", "!all.example=", "db.bundle=<h1.example,10.0.0.9>",
                            "!www.example=<10.0.0.5,10.0.0.6>"};

class NameDispatchTest : public testing::Test {
 protected:
  NameDispatchTest() {
    publish({});
    resolver_.hosts["h1.example"] = {"10.0.0.1", "2001:db8::1"};
    resolver_.hosts["all.example"] = {"10.0.1.1", "10.0.1.2"};
    resolver_.hosts["one.example"] = {"10.0.2.1"};
    resolver_.hosts["two.example"] = {"10.0.2.1", "10.0.2.2"};
    resolver_.symbols.gethostbyname = [](const char* name) -> hostent* {
      FakeResolver::here->asked.emplace_back(name);
      return ::gethostbyname(FakeResolver::here->hosts[name].front().c_str());
    };
    resolver_.symbols.socket = [](int, int, int) {
      errno = EPROTONOSUPPORT;
      return -1;
    };
  }

  void publish(const Lines& lines, plan::BundleEntries entries = plan::BundleEntries::kAlways,
               BundleTransport first = BundleTransport::kTcp) {
    plan::BundleSettings settings{};
    settings.transports[0] = first;
    if (first != BundleTransport::kTcp) settings.transports[1] = BundleTransport::kTcp;
    settings.entries = entries;
    std::string text;
    std::vector<plan::BundleName> names;
    for (std::string line : lines) {
      plan::BundleName name{};
      if (line.starts_with('!')) {
        name.implicit = 1;
        line.erase(0, 1);
      }
      const std::size_t split = line.find('=');
      name.name = static_cast<std::uint32_t>(text.size());
      name.name_length = static_cast<std::uint32_t>(split);
      name.notation = static_cast<std::uint32_t>(text.size() + split + 1);
      name.notation_length = static_cast<std::uint32_t>(line.size() - split - 1);
      text += line;
      names.push_back(name);
    }
    broker_.plan.publish_bundles(settings, text, names);
  }

  // FAMILY/PROTOCOL ADDRESS of each entry, or the error.
  Lines listed(const char* node, int flags = 0, int family = AF_UNSPEC,
               const char* service = "80") {
    addrinfo hints{};
    hints.ai_family = family;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = flags;
    addrinfo* list = nullptr;
    const int error = names_.getaddrinfo(node, service, &hints, &list);
    list_.reset(list);
    if (error != 0) return {::gai_strerror(error)};
    Lines lines;
    for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
      lines.push_back(std::to_string(entry->ai_family) + "/" + std::to_string(entry->ai_protocol) +
                      " " + text_of(*entry, NI_NUMERICHOST));
    }
    return lines;
  }
  [[nodiscard]] std::string text_of(const addrinfo& entry, int flags) {
    char host[NI_MAXHOST];
    char port[NI_MAXSERV];
    const int error = names_.getnameinfo(entry.ai_addr, entry.ai_addrlen, host, sizeof host, port,
                                         sizeof port, flags | NI_NUMERICSERV);
    return error != 0 ? ::gai_strerror(error) : std::string(host) + ":" + port;
  }
  [[nodiscard]] std::string known(std::string_view address) const {
    Bundle found;
    const bundle::Endpoint asked{.address = px::shim::address(address), .port = 80};
    if (!cache_.find(asked, &found)) return "unknown";
    std::string text;
    std::array<char, bundle::kAddressTextSize> buffer;
    for (const auto& member : found.members()) {
      text += std::string(bundle::address_text(member.address, buffer)) + " ";
    }
    return text + (found.implicit ? "implicit" : "explicit");
  }

  FakeResolver resolver_;
  TestBroker broker_;
  StartedSession shim_;
  KernelTransports transports_{resolver_.symbols};
  BundleCache cache_;
  EarlyQuestions early_;
  RecentAnswers recent_;
  ProfileNames profile_{shim_.settings,  shim_.plan, shim_.session,
                        &request_lookup, early_,     recent_};
  AnswerNotes notes_{resolver_.symbols, shim_.plan, profile_, shim_.answered};
  OrderedLookup ordered_{notes_, kBareSystemCalls, shim_.plan, shim_.decider};
  AddressNames addresses_{resolver_.symbols, ordered_,    profile_, shim_.plan, shim_.decider,
                          shim_.health,      transports_, cache_,   notes_};
  HostNames hosts_{ordered_, profile_, shim_.decider, shim_.health, cache_, notes_};
  static int configure(const char* database, const char* line) {
    configured = std::string(database) + ": " + line;
    return 0;
  }
  static inline std::string configured;
  HostsLine line_{shim_.settings, &configure, "/nonexistent"};
  NameDispatch names_{resolver_.symbols,
                      shim_.plan,
                      shim_.session,
                      {addresses_, hosts_, ordered_, profile_, line_, notes_}};
  std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> list_{nullptr, &::freeaddrinfo};
};

constexpr const char* kNoName = "Name or service not known";

TEST_F(NameDispatchTest, ANotationGivesTheBundleAndThenItsMembers) {
  EXPECT_EQ(listed("<10.0.0.9,h1.example>"),
            (Lines{"230/6 <10.0.0.1,10.0.0.9,2001:db8::1>:80", "2/6 10.0.0.9:80", "2/6 10.0.0.1:80",
                   "10/6 2001:db8::1:80"}));
  EXPECT_EQ(known("10.0.0.1"), "10.0.0.9 10.0.0.1 2001:db8::1 explicit");
}

TEST_F(NameDispatchTest, UnaskedTheBundleComesWhereItGainsSomething) {
  const Lines single{"2/6 10.0.0.1:80", "2/6 10.0.0.2:80"};
  const Lines with_bundle{"230/6 <10.0.0.1,10.0.0.2>:80", "2/6 10.0.0.1:80", "2/6 10.0.0.2:80"};
  publish({}, plan::BundleEntries::kByProgram);
  EXPECT_EQ(listed("<10.0.0.1,10.0.0.2>"), single);
  EXPECT_EQ(known("10.0.0.1"), "10.0.0.1 10.0.0.2 explicit");
  EXPECT_EQ(listed("<10.0.0.1,10.0.0.2>", AI_PASSIVE), with_bundle);
  EXPECT_EQ(listed("<10.0.0.1,10.0.0.2>", 0, AF_BUNDLE), Lines{with_bundle.front()});
  publish({}, plan::BundleEntries::kByProgram, BundleTransport::kSctp);
  // This kernel has no SCTP.
  EXPECT_EQ(listed("<10.0.0.1,10.0.0.2>"), single);
  publish({}, plan::BundleEntries::kByProgram, BundleTransport::kMptcp);
  EXPECT_EQ(listed("<10.0.0.1,10.0.0.2>"), single);
}

TEST_F(NameDispatchTest, OverSctpTheBundleComesFirst) {
  resolver_.symbols.socket = [](int, int, int) {
    return ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  };
  publish({}, plan::BundleEntries::kByProgram, BundleTransport::kSctp);
  EXPECT_EQ(listed("<10.0.0.1>"), (Lines{"230/132 <10.0.0.1>:80", "230/6 <10.0.0.1>:80",
                                         "2/132 10.0.0.1:80", "2/6 10.0.0.1:80"}));
}

TEST_F(NameDispatchTest, BadNotationIsNoNameAndNobodyIsAsked) {
  for (const char* text : {"<10.0.0.1,", "<>", "<a,,b>", "a.and.bundle", "nothing.bundle"}) {
    EXPECT_EQ(listed(text), Lines{kNoName}) << text;
  }
  EXPECT_TRUE(resolver_.asked.empty());
}

TEST_F(NameDispatchTest, OrdinaryNamesAreLibcs) {
  EXPECT_EQ(listed("two.example"), (Lines{"2/6 10.0.2.1:80", "2/6 10.0.2.2:80"}));
  EXPECT_EQ(listed("10.0.0.1"), Lines{"2/6 10.0.0.1:80"});
  EXPECT_EQ(known("10.0.2.1"), "unknown");
}

TEST_F(NameDispatchTest, ThePolicysNamesAreBundles) {
  publish(kPolicyNames);
  EXPECT_EQ(listed("DB.bundle."),
            (Lines{"230/6 <10.0.0.1,10.0.0.9,2001:db8::1>:80", "2/6 10.0.0.1:80",
                   "10/6 2001:db8::1:80", "2/6 10.0.0.9:80"}));
  EXPECT_EQ(text_of(*list_, 0), "db.bundle:80");
  resolver_.asked.clear();
  EXPECT_EQ(listed("other.bundle"), Lines{kNoName});
  EXPECT_TRUE(resolver_.asked.empty());
}

TEST_F(NameDispatchTest, AnAliasKeepsItsNameAndGetsSingleEntries) {
  publish(kPolicyNames, plan::BundleEntries::kByProgram);
  EXPECT_EQ(listed("www.example", AI_CANONNAME), (Lines{"2/6 10.0.0.5:80", "2/6 10.0.0.6:80"}));
  EXPECT_STREQ(list_->ai_canonname, "www.example");
  EXPECT_TRUE(resolver_.asked.empty());
  EXPECT_EQ(known("10.0.0.6"), "10.0.0.5 10.0.0.6 implicit");
  EXPECT_EQ(listed("WWW.example.").size(), 2u);
  EXPECT_EQ(listed("all.example"), (Lines{"2/6 10.0.1.1:80", "2/6 10.0.1.2:80"}));
  EXPECT_EQ(resolver_.asked, Lines{"all.example"});
  EXPECT_EQ(known("10.0.1.2"), "10.0.1.1 10.0.1.2 implicit");
}

TEST_F(NameDispatchTest, UnderAliasAnyEveryNameOfSeveralAddressesIsKnown) {
  publish(kPolicyNames, plan::BundleEntries::kByProgram);
  EXPECT_EQ(listed("one.example"), Lines{"2/6 10.0.2.1:80"});
  EXPECT_EQ(known("10.0.2.1"), "unknown");
  EXPECT_EQ(listed("two.example"), (Lines{"2/6 10.0.2.1:80", "2/6 10.0.2.2:80"}));
  EXPECT_EQ(known("10.0.2.1"), "10.0.2.1 10.0.2.2 implicit");
  EXPECT_EQ(resolver_.asked, (Lines{"one.example", "two.example"}));
}

TEST_F(NameDispatchTest, EntriesAlwaysGivesThemToAliasesToo) {
  publish(kPolicyNames, plan::BundleEntries::kAlways);
  EXPECT_EQ(listed("all.example").front(), "230/6 <10.0.1.1,10.0.1.2>:80");
  EXPECT_EQ(listed("two.example"),
            (Lines{"230/6 <10.0.2.1,10.0.2.2>:80", "2/6 10.0.2.1:80", "2/6 10.0.2.2:80"}));
  EXPECT_EQ(listed("two.example", 0, AF_INET), (Lines{"2/6 10.0.2.1:80", "2/6 10.0.2.2:80"}));
  publish(kPolicyNames, plan::BundleEntries::kNever);
  EXPECT_EQ(listed("<10.0.0.1,10.0.0.2>"), (Lines{"2/6 10.0.0.1:80", "2/6 10.0.0.2:80"}));
}

TEST_F(NameDispatchTest, ATransportThatTheKernelLacksIsLeftOut) {
  publish({}, plan::BundleEntries::kAlways, BundleTransport::kSctp);
  EXPECT_EQ(listed("<10.0.0.1>"), (Lines{"230/6 <10.0.0.1>:80", "2/6 10.0.0.1:80"}));
}

TEST_F(NameDispatchTest, HintsOfBundlesMakeOneOfAnyName) {
  EXPECT_EQ(listed("two.example", 0, AF_BUNDLE), Lines{"230/6 <10.0.2.1,10.0.2.2>:80"});
  EXPECT_EQ(listed("one.example", 0, AF_BUNDLE), Lines{"230/6 <10.0.2.1>:80"});
  EXPECT_EQ(listed("10.0.0.1", 0, AF_BUNDLE), Lines{"230/6 <10.0.0.1>:80"});
}

TEST_F(NameDispatchTest, ErrorsAreLibcs) {
  EXPECT_EQ(listed("<10.0.0.1>", 0, AF_UNIX), Lines{::gai_strerror(EAI_FAMILY)});
  EXPECT_EQ(listed("<10.0.0.1>", 0, AF_UNSPEC, "no-such-service"),
            Lines{::gai_strerror(EAI_SERVICE)});
  EXPECT_EQ(listed("<10.0.0.1>", AI_NUMERICSERV, AF_UNSPEC, "http"), Lines{kNoName});
  EXPECT_EQ(listed("<10.0.0.1>", 0x40000000), Lines{::gai_strerror(EAI_BADFLAGS)});
  EXPECT_EQ(listed("<10.0.0.1>", 0, AF_INET6), Lines{::gai_strerror(EAI_ADDRFAMILY)});
  resolver_.error = EAI_AGAIN;
  EXPECT_EQ(listed("<lost.example>"), Lines{::gai_strerror(EAI_AGAIN)});
}

TEST_F(NameDispatchTest, NoServiceIsPortZeroAndNoHintsAreTheUsualOnes) {
  EXPECT_EQ(listed("<10.0.0.1>", 0, AF_UNSPEC, nullptr).front(), "230/6 <10.0.0.1>:0");
  addrinfo* list = nullptr;
  ASSERT_EQ(names_.getaddrinfo("<127.0.0.1>", "80", nullptr, &list), 0);
  list_.reset(list);
  EXPECT_EQ(list->ai_family, AF_BUNDLE);
  EXPECT_EQ(list->ai_next->ai_socktype, SOCK_STREAM);
  EXPECT_EQ(list->ai_next->ai_next->ai_socktype, SOCK_DGRAM);
}

TEST_F(NameDispatchTest, NamesAndTextsAreFixedPoints) {
  for (const int flags : {0, NI_NUMERICHOST}) {
    for (const char* text : {"<h1.example,10.0.0.9>", "{2001:db8::9,10.0.0.9|10.0.0.3}",
                             "h1.example.or.two.example.bundle"}) {
      listed(text);
      const std::string once = text_of(*list_, flags);
      listed(once.substr(0, once.rfind(':')).c_str());
      EXPECT_EQ(text_of(*list_, flags), once);
    }
  }
  listed("<two.example,10.0.0.9>");
  EXPECT_EQ(text_of(*list_, 0), "<10.0.0.9,two.example>:80");
}

TEST_F(NameDispatchTest, WhatWasTruncatedIsNamedInFull) {
  const char* all = "<10.0.0.1,10.0.0.2,10.0.0.3,10.0.0.4,10.0.0.5,10.0.0.6,10.0.0.7,10.0.0.8>";
  EXPECT_EQ(listed(all).front(), std::string("230/6 ") + all + ":80");
  EXPECT_LE(list_->ai_addrlen, 112u);
}

TEST_F(NameDispatchTest, GetnameinfoSaysWhatDoesNotFit) {
  listed("<10.0.0.1>");
  char host[11];
  const auto ask = [&](char* place, socklen_t size, int flags) {
    return names_.getnameinfo(list_->ai_addr, list_->ai_addrlen, place, size, nullptr, 0, flags);
  };
  EXPECT_EQ(ask(host, 10, NI_NUMERICHOST), EAI_OVERFLOW);
  EXPECT_EQ(ask(host, 11, NI_NUMERICHOST), 0);
  EXPECT_EQ(ask(host, 11, NI_NAMEREQD), EAI_NONAME);
  EXPECT_EQ(ask(nullptr, 0, NI_NAMEREQD), EAI_NONAME);
  list_->ai_addrlen = 8;
  EXPECT_EQ(ask(host, 11, 0), EAI_FAMILY);
}

TEST_F(NameDispatchTest, GethostbynameHasTheAddressesOfOneFamily) {
  const hostent* entry = names_.gethostbyname("<10.0.0.9,h1.example>");
  ASSERT_NE(entry, nullptr);
  EXPECT_STREQ(entry->h_name, "<10.0.0.1,10.0.0.9>");
  EXPECT_STREQ(::inet_ntoa(*reinterpret_cast<in_addr*>(entry->h_addr_list[0])), "10.0.0.9");
  EXPECT_EQ(known("10.0.0.9"), "10.0.0.9 10.0.0.1 explicit");
  entry = names_.gethostbyname2("h1.example.and.10.0.0.9.bundle", AF_INET6);
  ASSERT_NE(entry, nullptr);
  EXPECT_STREQ(entry->h_name, "<2001:db8::1>");
  EXPECT_EQ(names_.gethostbyname("<10.0.0.9,"), nullptr);
  EXPECT_EQ(h_errno, HOST_NOT_FOUND);
  EXPECT_EQ(names_.gethostbyname("<::1>"), nullptr);
  EXPECT_EQ(h_errno, NO_DATA);
}

TEST_F(NameDispatchTest, GethostbynameInTheCallersRoom) {
  hostent entry{};
  hostent* result = nullptr;
  int error = 0;
  char room[256];
  EXPECT_EQ(names_.gethostbyname_r("<10.0.0.9>", &entry, room, 8, &result, &error), ERANGE);
  EXPECT_EQ(result, nullptr);
  EXPECT_EQ(error, NETDB_INTERNAL);
  EXPECT_EQ(names_.gethostbyname_r("<10.0.0.9>", &entry, room, sizeof room, &result, &error), 0);
  EXPECT_EQ(result, &entry);
  EXPECT_EQ(names_.gethostbyname_r("<", &entry, room, sizeof room, &result, &error), 0);
  EXPECT_EQ(result, nullptr);
  EXPECT_EQ(error, HOST_NOT_FOUND);
}

TEST_F(NameDispatchTest, WithoutBundlesNothingIsOurs) {
  publish(kPolicyNames, plan::BundleEntries::kAlways, BundleTransport::kNone);
  EXPECT_EQ(listed("<10.0.0.1>"), Lines{kNoName});
  EXPECT_EQ(resolver_.asked, Lines{"<10.0.0.1>"});
  EXPECT_EQ(listed("two.example", 0, AF_BUNDLE), Lines{::gai_strerror(EAI_FAMILY)});
}

TEST_F(NameDispatchTest, TheFirstNameAsksForThePlanAndNoAddressDoes) {
  EXPECT_EQ(listed("10.0.0.1"), Lines{"2/6 10.0.0.1:80"});
  EXPECT_EQ(broker_.hellos(), 0);
  listed("one.example");
  EXPECT_EQ(broker_.hellos(), 1);
  listed("two.example");
  listed("<10.0.0.1>");
  EXPECT_EQ(broker_.hellos(), 1);
}

TEST_F(NameDispatchTest, WithServersOfTheProfilesOwnPxIsAskedInThePlaceOfDns) {
  configured.clear();
  EXPECT_TRUE(names_.prepare());
  EXPECT_EQ(configured, "") << "a profile without them leaves libc alone";
  broker_.plan.names = {plan::NamesFrom::kProfile, 1, 5, 2};
  broker_.plan.publish_without_rules();
  (void)listed("10.0.0.1");
  (void)listed("2001:db8::1");
  EXPECT_EQ(configured, "") << "an address is not looked up";
  (void)listed("h1.example");
  EXPECT_EQ(configured, "hosts: px [TRYAGAIN=return] files");
  broker_.plan.names = {};
  broker_.plan.publish_without_rules();
  (void)listed("h1.example");
  EXPECT_EQ(configured, "hosts: dns [!UNAVAIL=return] files") << "the system's again";
}

}  // namespace
}  // namespace px::shim