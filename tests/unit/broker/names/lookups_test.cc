// SPDX-License-Identifier: MIT
// Lookups at name servers on the loopback interface, which stands for a path's.
#include "broker/names/lookups.h"

#include <gmock/gmock.h>

#include <set>

#include "tests/unit/broker/names/test_name_server.h"

namespace px::broker {
namespace {

using dns::test::name_of;
using dns::test::Reply;
using plan::LookupOutcome;
using test::Bytes;
using test::TestNameServer;
using testing::ElementsAre;
using testing::IsEmpty;
using namespace std::chrono_literals;

// One address for what is asked, whatever it is.
Bytes address_for(const dns::Query& query) {
  const std::string name = dns::test::text_of(query.question.name);
  const bool ipv4 = query.question.type == dns::kA;
  Reply reply(name, query.question.type);
  if (ipv4 || query.question.type == dns::kAaaa) {
    reply.address(name, ipv4 ? "10.0.0.1" : "2001:db8::1");
  }
  return reply.bytes;
}

Bytes refusal_of(const dns::Query& query, std::uint8_t rcode) {
  return Reply(dns::test::text_of(query.question.name), query.question.type, rcode).bytes;
}

class LookupTest : public testing::Test {
 protected:
  TestNameServer& server(TestNameServer::Answering answering) {
    servers_.push_back(std::make_unique<TestNameServer>(context_, std::move(answering)));
    asked_.servers.push_back(at(servers_.back()->port()));
    asked_.settings.servers = static_cast<std::uint8_t>(asked_.servers.size());
    return *servers_.back();
  }
  static ChannelKey key_of(const TestNameServer& server) {
    return {.server = *bundle::address_from_text("127.0.0.1"),
            .port = server.port(),
            .interface = "lo",
            .source = *bundle::address_from_text("127.0.0.2")};
  }
  // By the loopback interface, which needs no privilege.
  static NameServerEgress at(std::uint16_t port, const char* interface = "lo") {
    NameServerEgress egress{{*bundle::address_from_text("127.0.0.1"), port}, plan::Entry{}, "", ""};
    egress.entry->source = *bundle::address_from_text("127.0.0.2");
    std::string_view(interface).copy(egress.entry->interface, sizeof egress.entry->interface - 1);
    return egress;
  }

  void prepare(std::string_view name, bool searches) {
    question_.candidates = candidates_of(name_of(name), searches, search_);
    const auto servers = std::make_shared<Lookup::Servers>(asked_);
    question_.servers.assign(question_.candidates.names.size(), servers);
    question_.limit = std::chrono::milliseconds(plan::lookup_limit_ms(asked_.settings));
  }
  LookupResult look_up(std::string_view name, bool searches = false) {
    prepare(name, searches);
    std::optional<LookupResult> result;
    std::make_shared<Lookup>(Lookup::Parts{context_, channels_, cache_, health_, in_force_},
                             question_, [&](LookupResult found) { result = std::move(found); })
        ->begin();
    EXPECT_FALSE(result) << "it must not call back at once";
    while (!result && context_.run_one_for(20s) != 0) {
    }
    EXPECT_TRUE(result) << "it has not ended";
    return result.value_or(LookupResult{});
  }

  asio::io_context context_;
  std::vector<std::unique_ptr<TestNameServer>> servers_;
  Channels channels_{context_};
  Cache cache_{{}};
  ServerHealth health_;
  std::set<std::string> in_force_;
  SearchList search_;
  Lookup::Question question_ = [] {
    Lookup::Question question;
    question.types = {dns::kA, dns::kAaaa};
    question.flags = plan::kLookupExtended;
    return question;
  }();
  Lookup::Servers asked_{{plan::NamesFrom::kProfile, 0, 1, 1}, {}, {}};
};

TEST_F(LookupTest, BothFamiliesAreAskedAtOnce) {
  TestNameServer& asked = server([](const dns::Query& query, bool) { return address_for(query); });
  const LookupResult result = look_up("www.lab");
  EXPECT_EQ(result.outcome, LookupOutcome::kAnswered);
  EXPECT_THAT(asked.asked, ElementsAre("1 www.lab", "28 www.lab"));
  dns::Records records(result.replies[1]);
  EXPECT_EQ(records.next()->data.size(), 16u);
}

TEST_F(LookupTest, NoneIsAskedOrKeptThatThePolicyHasNoMore) {
  bool refuses = true;
  server([&](const dns::Query& query, bool) {
    in_force_.clear();
    return refuses ? refusal_of(query, dns::kServerFailure) : address_for(query);
  });
  TestNameServer& next = server([](const dns::Query& query, bool) { return address_for(query); });
  in_force_.insert(asked_.cached_as = "these");
  EXPECT_EQ(look_up("www.lab").outcome, LookupOutcome::kTryAgain);
  EXPECT_THAT(next.asked, IsEmpty());
  refuses = false;
  in_force_.insert(asked_.cached_as);
  EXPECT_EQ(look_up("www.lab").outcome, LookupOutcome::kAnswered);
  EXPECT_EQ(cache_.size(), 0u);
}

TEST_F(LookupTest, NoTwoLookupsShareASourcePort) {
  TestNameServer& asked = server([](const dns::Query& query, bool) { return address_for(query); });
  question_.types = {dns::kA, 0};
  prepare("www.lab", false);
  int done = 0;
  for (int i = 0; i < 20; ++i) {
    std::make_shared<Lookup>(Lookup::Parts{context_, channels_, cache_, health_, in_force_},
                             question_, [&](LookupResult) { ++done; })
        ->begin();
  }
  while (done < 20 && context_.run_one_for(20s) != 0) {
  }
  EXPECT_EQ(done, 20);
  EXPECT_EQ(std::set(asked.ports.begin(), asked.ports.end()).size(), 20u);
}

TEST_F(LookupTest, WhatDoesNotFitIntoADatagramComesByTcp) {
  server([](const dns::Query& query, bool stream) {
    const std::string name = dns::test::text_of(query.question.name);
    Reply reply(name, query.question.type);
    if (!stream) {
      reply.bytes[2] |= std::byte{0x02};  // truncated
      return std::optional(reply.bytes);
    }
    for (int i = 0; i < 2000; ++i) reply.address(name, "10.0.0.1");
    return std::optional(reply.bytes);
  });
  question_.types = {dns::kA, 0};
  const LookupResult result = look_up("www.lab");
  EXPECT_EQ(result.outcome, LookupOutcome::kAnswered);
  EXPECT_EQ(dns::header_of(result.replies[0])->answers, 2000);
}

TEST_F(LookupTest, ATcpQuestionIsOneFromTheBeginning) {
  TestNameServer& asked = server([](const dns::Query& query, bool stream) {
    return stream ? std::optional(address_for(query)) : std::nullopt;
  });
  question_.flags = plan::kLookupStream;
  EXPECT_EQ(look_up("www.lab").outcome, LookupOutcome::kAnswered);
  EXPECT_THAT(asked.ports, IsEmpty());
}

TEST_F(LookupTest, AServerThatCannotIsFollowedByTheNext) {
  server([](const dns::Query& query, bool) { return refusal_of(query, dns::kServerFailure); });
  server([](const dns::Query& query, bool) { return address_for(query); });
  EXPECT_EQ(look_up("www.lab").outcome, LookupOutcome::kAnswered);
}

TEST_F(LookupTest, AServerThatIsSilentIsFollowedByTheNext) {
  server([](const dns::Query&, bool) { return std::optional<Bytes>(); });
  TestNameServer& next = server([](const dns::Query& query, bool) { return address_for(query); });
  EXPECT_EQ(look_up("www.lab").outcome, LookupOutcome::kAnswered);
  EXPECT_EQ(next.asked.size(), 2u);
}

TEST_F(LookupTest, AServerThatWasSilentIsAskedLastUntilItAnswers) {
  bool answers = false;
  TestNameServer& first = server([&](const dns::Query& query, bool) {
    return answers ? std::optional(address_for(query)) : std::nullopt;
  });
  TestNameServer& second = server([](const dns::Query& query, bool) { return address_for(query); });
  question_.types = {dns::kA, 0};
  health_.was_silent(key_of(first));
  EXPECT_EQ(look_up("one.lab").outcome, LookupOutcome::kAnswered);
  EXPECT_THAT(first.asked, IsEmpty());
  EXPECT_EQ(second.asked.size(), 1u);
  health_.has_answered(key_of(first));
  answers = true;
  EXPECT_EQ(look_up("two.lab").outcome, LookupOutcome::kAnswered);
  EXPECT_EQ(first.asked.size(), 1u);
}

TEST_F(LookupTest, ASlowServerIsWaitedForWhileTheNextIsAsked) {
  TestNameServer& first = server([](const dns::Query&, bool) { return std::optional<Bytes>(); });
  server([](const dns::Query& query, bool) { return address_for(query); });
  question_.types = {dns::kA, 0};
  asked_.settings.timeout_s = 30;
  const auto before = std::chrono::steady_clock::now();
  EXPECT_EQ(look_up("www.lab").outcome, LookupOutcome::kAnswered);
  EXPECT_LT(std::chrono::steady_clock::now() - before, 20s);
  EXPECT_EQ(first.asked.size(), 1u);
  EXPECT_FALSE(health_.is_silent(key_of(first))) << "its time was not over";
}

TEST_F(LookupTest, SilenceIsRememberedWhenItsTimeIsOver) {
  TestNameServer& asked = server([](const dns::Query&, bool) { return std::optional<Bytes>(); });
  EXPECT_EQ(look_up("www.lab").outcome, LookupOutcome::kTryAgain);
  EXPECT_TRUE(health_.is_silent(key_of(asked)));
}

TEST_F(LookupTest, SilenceAndFailureAreForTheMoment) {
  server([](const dns::Query& query, bool) {
    if (dns::test::text_of(query.question.name) == "silent.lab") return std::optional<Bytes>();
    return std::optional(refusal_of(query, dns::kRefused));
  });
  EXPECT_EQ(look_up("silent.lab").outcome, LookupOutcome::kTryAgain);
  EXPECT_EQ(look_up("refused.lab").outcome, LookupOutcome::kTryAgain);
}

TEST_F(LookupTest, HalfAnAnswerIsOneUnlessTheOtherHalfIsMissing) {
  server([](const dns::Query& query, bool) {
    const std::string name = dns::test::text_of(query.question.name);
    if (query.question.type == dns::kA) return std::optional(address_for(query));
    if (name == "silent.lab") return std::optional<Bytes>();
    return std::optional(
        refusal_of(query, name == "failing.lab" ? dns::kServerFailure : dns::kNoSuchName));
  });
  EXPECT_EQ(look_up("failing.lab").outcome, LookupOutcome::kAnswered);
  EXPECT_EQ(look_up("half.lab").outcome, LookupOutcome::kAnswered);
  EXPECT_EQ(look_up("silent.lab").outcome, LookupOutcome::kTryAgain);
}

TEST_F(LookupTest, NoSuchNameIsAskedOfNoOtherServer) {
  server([](const dns::Query& query, bool) { return refusal_of(query, dns::kNoSuchName); });
  TestNameServer& next = server([](const dns::Query& query, bool) { return address_for(query); });
  EXPECT_EQ(look_up("www.lab").outcome, LookupOutcome::kNoSuchName);
  EXPECT_THAT(next.asked, IsEmpty());
}

TEST_F(LookupTest, ASearchGoesOnUntilAnAnswer) {
  TestNameServer& asked = server([](const dns::Query& query, bool) {
    const std::string name = dns::test::text_of(query.question.name);
    if (name == "www.second.lab") return std::optional(address_for(query));
    return std::optional(refusal_of(query, name == "www.lab" ? dns::kNoError : dns::kNoSuchName));
  });
  question_.types = {dns::kA, 0};
  search_ = {{name_of("lab"), name_of("second.lab")}, 1};
  EXPECT_EQ(look_up("www", true).outcome, LookupOutcome::kAnswered);
  EXPECT_THAT(asked.asked, ElementsAre("1 www.lab", "1 www.second.lab"));
  search_.domains.pop_back();
  EXPECT_EQ(look_up("www", true).outcome, LookupOutcome::kNoData) << "as in www.lab";
  EXPECT_EQ(look_up("a.www", true).outcome, LookupOutcome::kNoSuchName);
}

TEST_F(LookupTest, AServerThatDoesNotKnowOptRecordsIsAskedWithoutThem) {
  server([](const dns::Query& query, bool) {
    if (query.extended) return refusal_of(query, dns::kFormatError);
    return address_for(query);
  });
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(look_up("www.lab").outcome, LookupOutcome::kAnswered) << i;
  }
}

TEST_F(LookupTest, WhatIsNoReplyToTheQuestionIsNotHeard) {
  TestNameServer& asked = server([](const dns::Query& query, bool) {
    const std::string name = dns::test::text_of(query.question.name);
    if (name == "other.lab")
      return std::optional(Reply("evil.lab").address("evil.lab", "10.6.6.6").bytes);
    return std::optional(Bytes{std::byte{1}, std::byte{2}, std::byte{3}});
  });
  EXPECT_EQ(look_up("other.lab").outcome, LookupOutcome::kTryAgain);
  EXPECT_EQ(look_up("short.lab").outcome, LookupOutcome::kTryAgain);
  asked.answers_with_own_number = true;
  EXPECT_EQ(look_up("other.lab").outcome, LookupOutcome::kTryAgain);
}

TEST_F(LookupTest, AnAnswerIsAskedForOnceAndGivenInEachOnesOwnCase) {
  TestNameServer& asked = server([](const dns::Query& query, bool) { return address_for(query); });
  question_.types = {dns::kA, 0};
  in_force_.insert(asked_.cached_as = "one");
  EXPECT_EQ(look_up("www.lab").outcome, LookupOutcome::kAnswered);
  const LookupResult again = look_up("WWW.Lab");
  EXPECT_EQ(again.outcome, LookupOutcome::kAnswered);
  EXPECT_EQ(dns::test::text_of(dns::question_of(again.replies[0])->name), "WWW.Lab");
  EXPECT_THAT(asked.asked, ElementsAre("1 www.lab"));
  question_.types = {dns::kAaaa, 0};
  EXPECT_EQ(look_up("www.lab").outcome, LookupOutcome::kAnswered);
  question_.flags |= plan::kLookupDnssec;
  EXPECT_EQ(look_up("www.lab").outcome, LookupOutcome::kAnswered);
  in_force_.insert(asked_.cached_as = "two");
  EXPECT_EQ(look_up("www.lab").outcome, LookupOutcome::kAnswered);
  EXPECT_THAT(asked.asked, ElementsAre("1 www.lab", "28 www.lab", "28 www.lab", "28 www.lab"));
}

TEST_F(LookupTest, OfTwoQuestionsOnlyTheUnknownOneIsAsked) {
  TestNameServer& asked = server([](const dns::Query& query, bool) { return address_for(query); });
  in_force_.insert(asked_.cached_as = "one");
  question_.types = {dns::kAaaa, 0};
  (void)look_up("www.lab");
  question_.types = {dns::kA, dns::kAaaa};
  const LookupResult both = look_up("www.lab");
  EXPECT_EQ(both.outcome, LookupOutcome::kAnswered);
  EXPECT_FALSE(both.replies[0].empty() || both.replies[1].empty());
  EXPECT_THAT(asked.asked, ElementsAre("28 www.lab", "1 www.lab"));
}

TEST_F(LookupTest, WithoutTheDeviceNobodyIsAsked) {
  TestNameServer& asked = server([](const dns::Query& query, bool) { return address_for(query); });
  asked_.servers = {at(asked.port(), "px-no-such")};
  EXPECT_EQ(look_up("www.lab").outcome, LookupOutcome::kTryAgain);
  asked_.servers.front().entry.reset();
  EXPECT_EQ(look_up("www.lab").outcome, LookupOutcome::kTryAgain);
  EXPECT_THAT(asked.asked, IsEmpty());
}

// Names are asked of the groups of a policy; no server is there.
class LookupsByName : public LookupTest {
 protected:
  LookupsByName() {
    policy_.profiles.emplace_back();
    NameGroup& group = names().groups.emplace_back();
    group.names.push_back(*dns::NamePattern::from_text("*.corp.example"));
    policy_.profiles.front().name = "work";
  }
  Names& names() { return policy_.profiles.front().names; }
  LookupOutcome outcome(std::string_view name, bool searches = true) {
    Lookups lookups(context_);
    (void)lookups.follow(policy_, {}, {});
    auto lookup = plan::make<plan::Lookup>();
    lookup.types[0] = dns::kA;
    lookup.ndots = plan::kNdotsOfProfile;
    lookup.flags = searches ? plan::kLookupSearches : 0;
    const auto wire = name_of(name);
    std::ranges::copy(wire.wire(), lookup.name);
    lookup.name_length = static_cast<std::uint8_t>(wire.wire().size());
    std::optional<LookupOutcome> outcome;
    lookups.look_up(1, "work", lookup,
                    [&](const LookupResult& result) { outcome = result.outcome; });
    EXPECT_FALSE(outcome) << "it must not call back at once";
    context_.restart();
    while (!outcome && context_.run_one_for(20s) != 0) {
    }
    return outcome.value();
  }
  Policy policy_;
};

TEST_F(LookupsByName, WhatIsNobodysIsTheHosts) {
  EXPECT_EQ(outcome("www.corp.example"), LookupOutcome::kTryAgain);
  EXPECT_EQ(outcome("corp.example"), LookupOutcome::kOfHost);
  EXPECT_EQ(outcome("host"), LookupOutcome::kOfHost) << "without a search list of the profile's";
  names().groups.emplace_back();
  EXPECT_EQ(outcome("corp.example"), LookupOutcome::kTryAgain);
}

TEST_F(LookupsByName, ANameWithoutDotsIsTheSearchListsAlone) {
  names().search = {"other.example"};
  EXPECT_EQ(outcome("host"), LookupOutcome::kNoSuchName) << "the list makes nobody's name of it";
  EXPECT_EQ(outcome("host", false), LookupOutcome::kOfHost);
  EXPECT_EQ(outcome("host.example"), LookupOutcome::kOfHost);
  names().ndots = 0;
  EXPECT_EQ(outcome("host"), LookupOutcome::kNoSuchName);
  names().search = {"corp.example"};
  EXPECT_EQ(outcome("host"), LookupOutcome::kTryAgain);
  names().ndots = 2;
  EXPECT_EQ(outcome("host.example"), LookupOutcome::kTryAgain) << "as host.example.corp.example";
}

TEST_F(LookupTest, AUserHasSoManyUnderWayAndTheOthersTurnsComeBetween) {
  TestNameServer& asked = server([](const dns::Query& query, bool) { return address_for(query); });
  Lookups lookups(context_, &counted_as_itself, {.per_user = 2, .at_a_time = 3});
  Policy policy;
  Profile profile;
  profile.name = "work";
  profile.names.groups.emplace_back().servers.push_back(
      {*bundle::address_from_text("192.0.2.1"), asked.port()});
  policy.profiles.push_back(profile);
  (void)lookups.follow(policy, {}, {});
  EXPECT_TRUE(lookups.has("work"));
  EXPECT_FALSE(lookups.has("play"));
  auto lookup = plan::make<plan::Lookup>();
  lookup.types[0] = dns::kA;
  lookup.name_length = 1;
  std::vector<int> order;
  for (int i = 0; i < 6; ++i) {
    lookups.look_up(1, "work", lookup, [&](LookupResult) { order.push_back(1); });
  }
  EXPECT_EQ(lookups.under_way(), 2u);
  for (int i = 0; i < 2; ++i) {
    lookups.look_up(2, "work", lookup, [&](LookupResult) { order.push_back(2); });
  }
  EXPECT_EQ(lookups.under_way(), 3u);
  context_.run_for(5s);
  EXPECT_EQ(order.size(), 8u);
  EXPECT_NE(std::find(order.begin(), order.begin() + 5, 2), order.begin() + 5);
  EXPECT_EQ(lookups.under_way(), 0u);
}

}  // namespace
}  // namespace px::broker
