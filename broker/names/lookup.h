// SPDX-License-Identifier: MIT
// One lookup: what a search list makes of the name, one after another, each asked of the profile's
// servers in their order, with the questions of both families at once. A server that takes long is
// waited for while the next one is asked, too, and the first answer counts. Which answer ends it is
// judged as libc's resolver does. Lives until it has called back.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "broker/names/cache.h"
#include "broker/names/candidates.h"
#include "broker/names/channel.h"
#include "broker/names/lookup_result.h"
#include "broker/names/server_health.h"
#include "broker/publish/name_servers.h"
#include "dns/packet.h"
#include "plan/name_wire.h"
#include "plan/names.h"
#include "util/timer.h"

namespace px::broker {

// How a server is asked that can be.
[[nodiscard]] ChannelKey channel_key(const NameServerEgress& server);

class Lookup : public std::enable_shared_from_this<Lookup> {
 public:
  // Whom some names are asked of.
  struct Servers {
    plan::NameSettings settings{};
    std::vector<NameServerEgress> servers;
    std::string cached_as;  // these servers, by these egresses; empty: nothing is kept
  };
  struct Question {
    Candidates candidates;
    // Of each candidate.
    std::vector<std::shared_ptr<const Servers>> servers;
    // Where none of these is there, the host's own servers are asked for the name as it is.
    bool host_goes_on = false;
    std::array<std::uint16_t, plan::kLookupQuestions> types{};  // the second may be 0: none
    std::uint16_t query_class = dns::kInternet;
    std::uint16_t flags = 0;            // plan::kLookup*
    std::chrono::milliseconds limit{};  // of all of it
    uid_t user = 0;                     // whose it is
    bool wants_asked = false;           // the result says who was asked
  };
  struct Parts {
    asio::io_context& context;
    Channels& channels;
    Cache& cache;
    ServerHealth& health;
    const std::set<std::string>& in_force;  // Servers::cached_as of all profiles now
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
    bool cached = false;
    std::uint32_t lifetime = 0;  // seconds
    Channel::Reply reply;
  };
  // A server that is being asked.
  struct Asking {
    std::uint64_t id = 0;
    std::size_t server = 0;
    std::unique_ptr<Channel> channel;
    std::size_t waiting = 0;   // for so many replies
    bool needs_plain = false;  // it has just said that it does not know OPT records
    bool has_replied = false;
    std::uint8_t rcode = 0;  // of the last reply
    std::chrono::steady_clock::time_point since;
    std::chrono::steady_clock::time_point until;
  };
  void begin_candidate();
  // Whether the policy and the host still have these servers, by these egresses.
  [[nodiscard]] bool is_in_force() const;
  // What the cache has of it.
  void recall();
  void keep(std::size_t part);
  [[nodiscard]] Cache::Key key_of(std::size_t part) const;
  void ask_next_server();
  // As often as all servers are to be asked.
  void begin_round();
  void round_is_over();
  void replied(std::uint64_t asking, std::size_t part, Channel::Reply reply);
  // Has the server asked what nobody has answered yet.
  [[nodiscard]] bool ask(Asking& asking);
  void ask(const Asking& asking, std::size_t part);
  void is_done(std::vector<Asking>::iterator asking);
  void note(const Asking& asking, AskedServer::End end);
  // Whether a further server may be asked beside those that are.
  [[nodiscard]] bool may_race() const;
  void wait();
  void time_is_up();
  void stop_asking();
  void judge();
  void finish(plan::LookupOutcome outcome);
  [[nodiscard]] plan::LookupOutcome outcome() const;
  // Whom the present candidate is asked of.
  [[nodiscard]] const Servers& servers() const { return *question_.servers[candidate_]; }
  [[nodiscard]] std::size_t parts() const { return question_.types[1] == 0 ? 1 : 2; }
  [[nodiscard]] bool all(bool Part::*said) const;
  [[nodiscard]] ChannelKey key_of(const NameServerEgress& server) const;

  Parts shared_;
  Question question_;
  Done done_;
  Timer timer_;
  std::chrono::steady_clock::time_point end_;  // of all of it
  std::shared_ptr<Lookup> self_;               // until it has called back
  std::array<Part, plan::kLookupQuestions> parts_;
  std::vector<std::size_t> order_;  // of the servers: those that were silent come last
  std::vector<Asking> asking_;
  std::vector<AskedServer> asked_;
  std::uint64_t last_id_ = 0;
  std::size_t next_ = 0;  // in the order, of this round
  std::chrono::steady_clock::time_point next_at_;
  std::size_t candidate_ = 0;
  std::uint8_t attempt_ = 0;
  std::optional<std::uint32_t> lifetime_;  // the shortest of the replies so far
  bool begins_ = false;                    // and must not call back yet
  bool extended_ = false;                  // the servers seem to know OPT records
  std::optional<plan::LookupOutcome> first_;
  bool had_no_data_ = false;
  bool had_failure_ = false;
};

}  // namespace px::broker
