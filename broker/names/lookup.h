// SPDX-License-Identifier: MIT
// One lookup: what a search list makes of the name, one after another, each asked of the profile's
// servers in their order, with the questions of both families at once. Which answer ends it is
// judged as libc's resolver does. Lives until it has called back.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "broker/names/cache.h"
#include "broker/names/candidates.h"
#include "broker/names/channel.h"
#include "broker/publish/name_servers.h"
#include "dns/packet.h"
#include "plan/name_wire.h"
#include "plan/names.h"
#include "util/timer.h"

namespace px::broker {

struct LookupResult {
  plan::LookupOutcome outcome = plan::LookupOutcome::kTryAgain;
  // By question; empty: nobody answered.
  std::array<Channel::Reply, plan::kLookupQuestions> replies;
};

class Lookup : public std::enable_shared_from_this<Lookup> {
 public:
  struct Question {
    Candidates candidates;
    std::array<std::uint16_t, plan::kLookupQuestions> types{};  // the second may be 0: none
    std::uint16_t query_class = dns::kInternet;
    std::uint16_t flags = 0;  // plan::kLookup*
    plan::NameSettings settings{};
    std::vector<NameServerEgress> servers;
    std::string cached_as;  // these servers, by these egresses; empty: nothing is kept
    uid_t user = 0;         // whose it is
  };
  struct Parts {
    asio::io_context& context;
    Channels& channels;
    Cache& cache;
  };
  using Done = std::function<void(LookupResult)>;

  Lookup(const Parts& parts, Question question, Done done);

  // Once. Never calls back from within. Keeps itself until it has called back.
  void begin();

 private:
  // What is known of one question about the present candidate.
  struct Part {
    bool settled = false;  // a server has answered it
    bool refused = false;  // a server has, by saying that it cannot
    Channel::Reply reply;
  };
  void begin_candidate();
  // What the cache has of it.
  void recall();
  void keep(std::size_t part);
  [[nodiscard]] Cache::Key key_of(std::size_t part) const;
  void ask_server();
  void ask(std::size_t part, Channel& channel);
  void replied(std::size_t part, Channel::Reply reply);
  void server_is_done();
  void next_server();
  void judge();
  void finish(plan::LookupOutcome outcome);
  [[nodiscard]] plan::LookupOutcome outcome() const;
  [[nodiscard]] std::size_t parts() const { return question_.types[1] == 0 ? 1 : 2; }
  [[nodiscard]] bool all(bool Part::*said) const;
  [[nodiscard]] ChannelKey key_of(const NameServerEgress& server) const;
  void give_channel_back();

  Parts shared_;
  Question question_;
  Done done_;
  Timer timer_;
  std::chrono::steady_clock::time_point end_;  // of all of it
  std::shared_ptr<Lookup> self_;               // until it has called back
  std::unique_ptr<Channel> channel_;
  std::array<Part, plan::kLookupQuestions> parts_;
  std::size_t candidate_ = 0;
  std::uint8_t server_ = 0;
  std::uint8_t attempt_ = 0;
  std::size_t waiting_ = 0;   // for so many replies of the present server
  bool extended_ = false;     // the servers seem to know OPT records
  bool needs_plain_ = false;  // the present one has just said that it does not
  std::optional<plan::LookupOutcome> first_;
  bool had_no_data_ = false;
  bool had_failure_ = false;
};

}  // namespace px::broker
