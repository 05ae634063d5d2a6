// SPDX-License-Identifier: MIT
#include "preload/names/name_service.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <string>
#include <vector>

#include "preload/process/clock.h"
#include "tests/unit/preload/names/fake_servers.h"

namespace px::shim {
namespace {

using dns::test::Reply;
using plan::LookupOutcome;

class NameServiceTest : public testing::Test {
 protected:
  ServiceCall call(std::size_t size = 4096) {
    return {room_.data(), size, &error_, &host_error_, &ttl_};
  }
  std::string text_of(int family, const void* address) {
    char text[INET6_ADDRSTRLEN];
    return ::inet_ntop(family, address, text, sizeof text);
  }
  // "NAME: ADDRESS ADDRESS"
  std::string both(const char* name, std::size_t size = 4096, gaih_addrtuple* first = nullptr) {
    gaih_addrtuple* list = first;
    status_ = service_.find_addresses(name, &list, call(size));
    if (status_ != NSS_STATUS_SUCCESS) return "none";
    std::string text = std::string(list->name) + ":";
    for (const auto* tuple = list; tuple != nullptr; tuple = tuple->next) {
      text += " " + text_of(tuple->family, tuple->addr);
    }
    return text;
  }
  // "NAME (ALIAS): ADDRESS ADDRESS"
  std::string described(nss_status status, const hostent& host) {
    status_ = status;
    if (status != NSS_STATUS_SUCCESS) return "none";
    std::string text = host.h_name;
    for (char** alias = host.h_aliases; *alias != nullptr; ++alias) {
      text += " (" + std::string(*alias) + ")";
    }
    text += ":";
    for (char** address = host.h_addr_list; *address != nullptr; ++address) {
      text += " " + text_of(host.h_addrtype, *address);
    }
    return text;
  }
  std::string host(const char* name, int family, std::size_t size = 4096) {
    hostent found{};
    char* canonical = nullptr;
    const auto status = service_.find_host(name, family, &found, call(size), &canonical);
    return described(status, found);
  }
  std::string by_address(const char* text, int family, std::size_t size = 4096) {
    std::array<std::byte, 16> address{};
    EXPECT_EQ(::inet_pton(family, text, address.data()), 1);
    hostent found{};
    const auto status =
        service_.find_name(address.data(), family == AF_INET ? 4 : 16, family, &found, call(size));
    return described(status, found);
  }
  // STATUS ERRNO H_ERRNO
  using Failure = std::array<int, 3>;
  [[nodiscard]] Failure failure() const { return {status_, error_, host_error_}; }

  FakeServers servers_;
  Symbols libc_;
  AnswerNotes notes_{libc_, servers_.shim.plan, servers_.names, servers_.shim.answered};
  NameService service_{servers_.names, notes_};
  std::array<char, 4096> room_{};
  nss_status status_ = NSS_STATUS_SUCCESS;
  int error_ = 0;
  int host_error_ = 0;
  std::int32_t ttl_ = -1;
};

TEST_F(NameServiceTest, AddressesOfBothFamiliesComeInTheOrderOfTheReplies) {
  servers_.answer_with(
      LookupOutcome::kAnswered,
      {Reply("www.lab").address("www.lab", "10.0.0.1", 30).address("www.lab", "10.0.0.1").bytes,
       Reply("www.lab", dns::kAaaa).address("www.lab", "2001:db8::1").bytes});
  EXPECT_EQ(both("www"), "www.lab: 10.0.0.1 10.0.0.1 2001:db8::1");
  EXPECT_EQ(ttl_, 30);
  EXPECT_EQ(servers_.asked_name(), "www");
  EXPECT_EQ(servers_.asked.types[0], dns::kA);
  EXPECT_EQ(servers_.asked.types[1], dns::kAaaa);
  EXPECT_NE(servers_.asked.flags & plan::kLookupSearches, 0);
  gaih_addrtuple of_libc{};
  EXPECT_EQ(both("www.", 4096, &of_libc), "www.lab: 10.0.0.1 10.0.0.1 2001:db8::1");
  EXPECT_EQ(of_libc.family, AF_INET) << "the first is libc's own";
  EXPECT_EQ(servers_.asked.flags & plan::kLookupSearches, 0);
}

TEST_F(NameServiceTest, CnamesAreFollowedAndOtherNamesAreNotBelieved) {
  servers_.answer_with(LookupOutcome::kAnswered, {Reply("www.lab")
                                                      .name("www.lab", dns::kCname, "Real.lab")
                                                      .address("evil.lab", "10.6.6.6")
                                                      .address("real.lab", "10.0.0.1")
                                                      .bytes});
  EXPECT_EQ(both("www.lab"), "Real.lab: 10.0.0.1");
  EXPECT_EQ(host("www.lab", AF_INET), "Real.lab (www.lab): 10.0.0.1");
  servers_.answer_with(LookupOutcome::kAnswered,
                       {Reply("www.lab").address("other.lab", "10.0.0.1").bytes});
  EXPECT_EQ(both("www.lab"), "none");
  EXPECT_EQ(failure(), (Failure{NSS_STATUS_NOTFOUND, ENOENT, HOST_NOT_FOUND}));
  EXPECT_EQ(host("www.lab", AF_INET), "none");
  EXPECT_EQ(failure(), (Failure{NSS_STATUS_TRYAGAIN, ENOENT, NO_RECOVERY}));
  servers_.answer_with(LookupOutcome::kAnswered, {Reply("a.lab")
                                                      .name("a.lab", dns::kCname, "b.lab")
                                                      .name("b.lab", dns::kCname, "a.lab")
                                                      .bytes});
  EXPECT_EQ(both("a.lab"), "none");
  EXPECT_EQ(failure(), (Failure{NSS_STATUS_NOTFOUND, ENOENT, HOST_NOT_FOUND}));
}

TEST_F(NameServiceTest, TheCanonicalNameIsOneThatAHostCanHave) {
  servers_.answer_with(LookupOutcome::kAnswered, {Reply("www.lab")
                                                      .name("www.lab", dns::kCname, "sp ace.lab")
                                                      .address("sp ace.lab", "10.0.0.1")
                                                      .bytes});
  EXPECT_EQ(both("www.lab"), "www.lab: 10.0.0.1");
}

TEST_F(NameServiceTest, EveryFailureForTheMomentIsOneOfTheMoment) {
  const Failure moment{NSS_STATUS_TRYAGAIN, EAGAIN, TRY_AGAIN};
  EXPECT_EQ(both("www.lab"), "none");
  EXPECT_EQ(failure(), moment);
  EXPECT_EQ(host("www.lab", AF_INET), "none");
  EXPECT_EQ(failure(), moment) << "also for IPv4 alone, unlike libc's";
  EXPECT_EQ(by_address("10.0.0.1", AF_INET), "none");
  EXPECT_EQ(failure(), moment);
  servers_.reachable = false;
  EXPECT_EQ(both("www.lab"), "none");
  EXPECT_EQ(failure(), moment);
}

TEST_F(NameServiceTest, WhatServersSayIsPassedOn) {
  servers_.answer_with(LookupOutcome::kNoSuchName);
  EXPECT_EQ(both("www.lab"), "none");
  EXPECT_EQ(failure(), (Failure{NSS_STATUS_NOTFOUND, ENOENT, HOST_NOT_FOUND}));
  servers_.answer_with(LookupOutcome::kNoData);
  EXPECT_EQ(both("www.lab"), "none");
  EXPECT_EQ(failure(), (Failure{NSS_STATUS_NOTFOUND, ENOENT, NO_DATA}));
}

TEST_F(NameServiceTest, WhatNoHostCanBeCalledIsNotAsked) {
  for (const char* name : {"", ".", "a..b", "-dash", "sp ace", "star*"}) {
    EXPECT_EQ(both(name), "none") << name;
    EXPECT_EQ(failure(), (Failure{NSS_STATUS_NOTFOUND, ENOENT, HOST_NOT_FOUND})) << name;
  }
  EXPECT_EQ(servers_.count, 0);
}

TEST_F(NameServiceTest, WithTooLittleRoomItIsCalledAgainWithMore) {
  Reply reply("www.lab");
  for (int i = 0; i < 3; ++i)
    reply.name("www.lab", dns::kCname, "www.lab").address("www.lab", "10.0.0.1");
  servers_.answer_with(LookupOutcome::kAnswered, {reply.bytes});
  bool found = false;
  for (std::size_t size = 0; size < 400 && !found; ++size) {
    found = host("www.lab", AF_INET, size) != "none";
    if (!found) {
      ASSERT_EQ(failure(), (Failure{NSS_STATUS_TRYAGAIN, ERANGE, NETDB_INTERNAL})) << size;
    }
  }
  EXPECT_TRUE(found);
  found = false;
  for (std::size_t size = 0; size < 400 && !found; ++size) found = both("www.lab", size) != "none";
  EXPECT_TRUE(found);
}

TEST_F(NameServiceTest, LargeAnswersComeWhole) {
  Reply reply("www.lab");
  for (int i = 0; i < 4000; ++i) reply.record("www.lab", 16, {1, 'x'});
  reply.address("www.lab", "10.0.0.1");
  servers_.answer_with(LookupOutcome::kAnswered, {reply.bytes});
  EXPECT_EQ(host("www.lab", AF_INET), "www.lab: 10.0.0.1");
}

TEST_F(NameServiceTest, AnAddressHasTheNamesThatTheServersSay) {
  servers_.answer_with(LookupOutcome::kAnswered,
                       {Reply("1.0.0.10.in-addr.arpa", dns::kPtr)
                            .name("1.0.0.10.in-addr.arpa", dns::kPtr, "one.lab")
                            .name("1.0.0.10.in-addr.arpa", dns::kPtr, "two.lab")
                            .bytes});
  EXPECT_EQ(by_address("10.0.0.1", AF_INET), "one.lab (two.lab): 10.0.0.1");
  EXPECT_EQ(servers_.asked_name(), "1.0.0.10.in-addr.arpa");
  EXPECT_EQ(servers_.asked.flags & plan::kLookupSearches, 0);
  EXPECT_EQ(by_address("10.0.0.1", AF_INET, 8), "none");
  EXPECT_EQ(failure(), (Failure{NSS_STATUS_TRYAGAIN, ERANGE, NETDB_INTERNAL}));
}

TEST_F(NameServiceTest, UnderAProfileWithoutServersItIsNotThere) {
  servers_.broker.plan.names = {};
  servers_.broker.plan.publish_without_rules();
  EXPECT_TRUE(servers_.shim.session.ensure_session());
  EXPECT_EQ(both("www.lab"), "none");
  EXPECT_EQ(status_, NSS_STATUS_UNAVAIL);
  EXPECT_EQ(host("www.lab", AF_INET), "none");
  EXPECT_EQ(status_, NSS_STATUS_UNAVAIL);
  EXPECT_EQ(by_address("10.0.0.1", AF_INET), "none");
  EXPECT_EQ(status_, NSS_STATUS_UNAVAIL);
  EXPECT_EQ(servers_.count, 0);
}

TEST_F(NameServiceTest, WhileTheProfileOfTheEnvironmentIsNotKnownItsNamesAreNobodyElses) {
  servers_.broker.outcome = HelloOutcome::kUnreachable;
  servers_.shim.capture_stderr();
  EXPECT_EQ(both("www.lab"), "none");
  EXPECT_EQ(failure(), (Failure{NSS_STATUS_TRYAGAIN, EAGAIN, TRY_AGAIN}));
  EXPECT_EQ(servers_.count, 0);
  EXPECT_NE(testing::internal::GetCapturedStderr(), "");
}

TEST_F(NameServiceTest, ItIsWaitedForAsLongAsForSilentServers) {
  const std::int64_t before = monotonic_ms();
  (void)both("www.lab");
  EXPECT_GE(servers_.deadline, before + 10'000);
  EXPECT_LE(servers_.deadline, monotonic_ms() + 11'000);
}

}  // namespace
}  // namespace px::shim
