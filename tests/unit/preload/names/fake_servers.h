// SPDX-License-Identifier: MIT
// The broker's side of a lookup, in the same process: it records what it is asked, and answers as
// it is told. One at a time, one thread.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "preload/names/profile_names.h"
#include "tests/unit/dns/packet_fixture.h"
#include "tests/unit/preload/shim_session.h"

namespace px::shim {

struct FakeServers {
  FakeServers() {
    here = this;
    broker.plan.names = {plan::NamesFrom::kProfile, 1, 5, 2};
    broker.plan.publish_without_rules();
    shim.start();
  }
  FakeServers(const FakeServers&) = delete;
  FakeServers& operator=(const FakeServers&) = delete;
  ~FakeServers() { here = nullptr; }

  void answer_with(plan::LookupOutcome with,
                   std::vector<std::vector<std::byte>> of_questions = {}) {
    outcome = with;
    replies = std::move(of_questions);
  }

  static bool request(const Settings&, const SecondSocket&, const plan::Lookup& lookup,
                      std::int64_t deadline, LookupReply* reply) {
    EXPECT_TRUE(lookup.is_valid());
    here->asked = lookup;
    here->deadline = deadline;
    ++here->count;
    if (!here->reachable) return false;
    auto part = plan::make<plan::LookupAnswer>();
    part.outcome = here->outcome;
    part.lifetime_s = here->lifetime_s;
    std::vector<std::byte> bytes;
    for (std::size_t i = 0; i < here->replies.size(); ++i) {
      part.lengths[i] = static_cast<std::uint32_t>(here->replies[i].size());
      bytes.insert(bytes.end(), here->replies[i].begin(), here->replies[i].end());
    }
    do {
      const std::size_t count = std::min(bytes.size() - part.offset, plan::LookupAnswer::kPart);
      std::copy_n(reinterpret_cast<const std::uint8_t*>(bytes.data()) + part.offset, count,
                  part.bytes);
      EXPECT_TRUE(reply->add(part));
      part.offset += static_cast<std::uint32_t>(count);
    } while (!reply->is_whole());
    return true;
  }
  [[nodiscard]] std::string asked_name() const {
    const auto name = dns::Name::from_wire(std::span(asked.name).first(asked.name_length));
    return name ? dns::test::text_of(*name) : "none";
  }

  static inline FakeServers* here = nullptr;
  TestBroker broker;
  ShimSession shim;
  EarlyQuestions early;
  RecentAnswers recent;
  ProfileNames names{shim.settings, shim.plan, shim.session, &request, early, recent};
  plan::LookupOutcome outcome = plan::LookupOutcome::kTryAgain;
  std::vector<std::vector<std::byte>> replies;
  std::uint32_t lifetime_s = 0;
  bool reachable = true;
  plan::Lookup asked{};
  std::int64_t deadline = 0;
  int count = 0;
};

}  // namespace px::shim
