// SPDX-License-Identifier: MIT
// All lookups: whose turn it is, and which servers each profile's names are asked of. So many are
// under way at a time, and of one user fewer; the others wait, and users take turns.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "broker/config/policy.h"
#include "broker/host/snapshot.h"
#include "broker/names/lookup.h"
#include "broker/routing/routing_demand.h"
#include "broker/sessions/places.h"
#include "broker/sessions/round_robin.h"
#include "dns/name_chain.h"

namespace px::broker {

class Lookups {
 public:
  struct Limits {
    std::size_t per_user = 64;
    std::size_t at_a_time = 256;
    Cache::Limits cache{};
  };

  Lookups(asio::io_context& context, CountedAs counted_as, Limits limits);
  explicit Lookups(asio::io_context& context, CountedAs counted_as = &counted_as_itself)
      : Lookups(context, std::move(counted_as), Limits{}) {}

  // From now on by these: the policy, host or marks have changed. What other servers have answered,
  // or these by another egress, is forgotten.
  // Whether programs are to forget, too: a profile has other servers now, or searches others.
  [[nodiscard]] bool follow(const Policy& policy, const Snapshot& snapshot, const Marks& marks);

  // Whether names of the profile have servers of their own.
  [[nodiscard]] bool has(const std::string& profile) const { return profiles_.contains(profile); }
  // For a program of that user under a profile that has(). Calls back later, once.
  void look_up(uid_t user, const std::string& profile, const plan::Lookup& lookup,
               Lookup::Done done);
  // The same; the result says who was asked.
  void resolve(uid_t user, const std::string& profile, const plan::Lookup& lookup,
               Lookup::Done done);

  [[nodiscard]] std::size_t under_way() const { return under_way_; }
  [[nodiscard]] const Cache& cache() const { return cache_; }
  // What the profile's servers have answered with that address, and is still good: the names of
  // each such answer, so many at most, of as many bytes of answers as can be read at once. Of those
  // alone that programs of this user asked for, where there is one.
  static constexpr std::size_t kMostChains = 16;
  static constexpr std::size_t kMostRead = std::size_t{256} << 10;
  [[nodiscard]] std::vector<dns::NameChain> names_of(const std::string& profile,
                                                     const Address& address,
                                                     std::optional<uid_t> user) const;
  // Whether the server is asked last now; one that cannot be asked is not.
  [[nodiscard]] bool was_silent(const NameServerEgress& server) const;
  // Whether it could not prove its name a moment ago, and is not asked.
  [[nodiscard]] bool was_refused(const NameServerEgress& server) const;

 private:
  struct NamesOfProfile {
    Names names;
    SearchList search;
    std::vector<std::shared_ptr<const Lookup::Servers>> servers;  // of each of its groups
  };
  struct Waiting {
    std::string profile;
    plan::Lookup lookup;
    Lookup::Done done;
    bool wants_asked = false;
  };
  struct User {
    std::size_t asked = 0;     // waiting for their turn, or under way
    std::deque<Waiting> held;  // beyond the user's own limit
  };
  void take_in(uid_t user, Waiting waiting);
  void begin_some();
  void begin(uid_t user, Waiting waiting);
  void ended(uid_t user);
  [[nodiscard]] Lookup::Question question_of(uid_t user, const Waiting& waiting) const;
  // Has each candidate asked of those whose it is; one that is nobody's is the host's, or none.
  static void assign(const NamesOfProfile& profile, const SearchList& search,
                     Lookup::Question* question);

  asio::io_context& context_;
  CountedAs counted_as_;
  Limits limits_;
  Channels channels_;
  Cache cache_;
  ServerHealth health_;
  std::map<std::string, NamesOfProfile> profiles_;
  std::map<std::string, std::string> followed_;  // servers and search list of each profile
  std::set<std::string> in_force_;               // Servers::cached_as of all of them
  std::map<uid_t, User> users_;
  struct Turn {
    uid_t user;
    Waiting waiting;
  };
  RoundRobin<Turn> turns_;
  std::size_t under_way_ = 0;
};

}  // namespace px::broker
