// SPDX-License-Identifier: MIT
// What came of a lookup: the servers' packets, and who was asked. Values.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <vector>

#include "broker/names/channel.h"
#include "broker/publish/name_servers.h"
#include "dns/name.h"
#include "plan/name_wire.h"

namespace px::broker {

// A server that a lookup has asked, and what came of it.
struct AskedServer {
  enum class End : std::uint8_t { kAnswered, kFailed, kSilent, kOvertaken };  // by another server

  dns::Name name;
  NameServerEgress server;
  End end = End::kOvertaken;
  std::uint8_t rcode = 0;  // of its last answer
  std::chrono::steady_clock::duration took{};
};

struct LookupResult {
  plan::LookupOutcome outcome = plan::LookupOutcome::kTryAgain;
  // By question; empty: nobody answered.
  std::array<Channel::Reply, plan::kLookupQuestions> replies;
  // For how many seconds the outcome may be kept; 0: not at all.
  std::uint32_t lifetime = 0;
  // Whether the cache had it.
  std::array<bool, plan::kLookupQuestions> cached{};
  std::vector<AskedServer> asked;  // in order; where the question wants to know
};

}  // namespace px::broker
