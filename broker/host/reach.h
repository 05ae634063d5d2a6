// SPDX-License-Identifier: MIT
// Where a socket that is bound to an interface and a source has a route to: the kernel's own walk
// through rules and tables, done once for all destinations at a time. The kernel itself would not
// say: without a route it takes everything for a neighbour on a bound interface. Lives as long as
// one snapshot is computed; not thread-safe.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "broker/host/snapshot.h"
#include "netlink/kernel_state.h"

namespace px::broker {

class Reach {
 public:
  // `state` must outlive the Reach.
  explicit Reach(const kernel::State& state);

  // The index of the list of what an unmarked socket on `link` reaches with this source, or
  // without one.
  [[nodiscard]] std::uint32_t find(const kernel::Link& link, bool ipv4,
                                   const std::optional<Address>& source);

  // How early a lookup comes to this table: 0 is first; tables that only some sources are sent
  // to come last. Nothing for tables that unmarked traffic of the host never sees.
  [[nodiscard]] std::optional<std::uint32_t> table_position(std::uint32_t table, bool ipv4) const;
  // Whether a table at this position is for all sources.
  [[nodiscard]] bool is_for_all_sources(std::uint32_t position) const {
    return position < first_by_source_;
  }

  [[nodiscard]] const Ranges& list(std::uint32_t index) const { return lists_[index]; }
  // Whether the rules and routes of that list say something of every destination, be it that there
  // is no way.
  [[nodiscard]] bool decides_all(std::uint32_t index) const { return decides_all_[index]; }

  [[nodiscard]] std::vector<Ranges> take_lists() { return std::move(lists_); }

 private:
  // One route of a table as one interface sees it.
  struct Candidate {
    plan::Range range;
    unsigned length;
    std::uint32_t metric;
    kernel::RouteKind kind;
  };
  struct Table {
    std::unordered_map<std::uint32_t, std::vector<Candidate>> of_interface;
    std::vector<Candidate> of_all;  // deny and throw, whatever the interface
  };
  struct Outcome {
    Ranges covered;
    Ranges denied;
  };
  // A rule that applies: to its own destinations, or to all but those.
  struct Step {
    const kernel::Rule* rule;
    bool selectors_hold;
    friend auto operator<=>(const Step&, const Step&) = default;
  };
  using TableKey = std::pair<bool, std::uint32_t>;  // ipv4, table
  using OutcomeKey = std::tuple<TableKey, std::uint32_t, std::optional<unsigned>>;
  using ListKey = std::tuple<std::uint32_t, bool, std::vector<Step>>;

  [[nodiscard]] std::vector<Step> steps(const kernel::Link& link, bool ipv4,
                                        const std::optional<Address>& source) const;
  // What is reached and, with it, what is denied.
  [[nodiscard]] std::pair<Ranges, Ranges> walk(std::uint32_t interface_index, bool ipv4,
                                               const std::vector<Step>& steps);
  [[nodiscard]] const Outcome& outcome(const OutcomeKey& key);
  [[nodiscard]] static Outcome paint(const std::vector<Candidate>& sorted);

  std::vector<const kernel::Rule*> rules_[2];  // by family, in the kernel's order
  std::map<TableKey, std::uint32_t> positions_;
  std::uint32_t first_by_source_ = 0;
  std::map<TableKey, Table> tables_;
  std::map<OutcomeKey, Outcome> outcomes_;
  std::map<ListKey, std::uint32_t> known_;
  std::vector<Ranges> lists_;
  std::vector<bool> decides_all_;  // of each list
};

}  // namespace px::broker
