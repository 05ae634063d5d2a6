// SPDX-License-Identifier: MIT
// The kernel's side of next hops by rule and of answering servers: keeps routing tables, rules and
// the nftables table as the plans need them, and remembers which mark means what. Its order of
// calls is prepare(), publish the plans, retire(): what a plan names is there before the plan is,
// and goes after it. Owned by the daemon; single-threaded; blocks on the kernel alone.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "broker/routing/mark_allocator.h"
#include "broker/routing/namespace_claim.h"
#include "broker/routing/routing_demand.h"
#include "broker/routing/routing_state.h"
#include "util/error.h"

namespace px::broker {

inline constexpr char kMarksFile[] = "marks";  // in the run directory

class Routing {
 public:
  // Marks are remembered in `directory`. `cleans_up`: what a broker that did not end well has left
  // in the kernel is this one's to go on with and to remove.
  [[nodiscard]] static Expected<Routing> open(const std::filesystem::path& directory,
                                              bool cleans_up);

  // Whether next hops can be managed here; the error is the reason, for people. Changes nothing.
  [[nodiscard]] Expected<void> available() const;

  // Has the kernel carry out what the demand asks for, besides what is in force. On an error all
  // is as it was. An empty demand needs no privilege.
  [[nodiscard]] Expected<Marks> prepare(const RoutingDemand& demand, std::uint32_t mask);
  // The prepared demand is the only one from now on: what else was there goes.
  [[nodiscard]] Expected<void> retire();
  // The port routes that an earlier broker has left in the kernel for this one to go on with.
  [[nodiscard]] Expected<std::vector<PortRoute>> ports_left() const;
  // The plans could not be published: back to the demand in force. Before there is any, what an
  // earlier broker has left stays for the programs that still use it.
  void abandon();
  // Puts back what of the demand in force others, or a link that went down, took away.
  [[nodiscard]] Expected<void> mend();
  // At a clean exit: the kernel as it was without px. The marks stay remembered.
  [[nodiscard]] Expected<void> remove_all();

  // What the demand comes to in this state of the kernel.
  [[nodiscard]] RoutingState wanted(const kernel::State& kernel) const {
    return wanted_state(prepared_.demand, allocator_, prepared_.mask, kernel);
  }
  [[nodiscard]] Marks marks() const;
  [[nodiscard]] std::uint32_t mask() const { return prepared_.mask; }
  [[nodiscard]] const RoutingDemand& demand() const { return prepared_.demand; }

 private:
  struct Wish {
    RoutingDemand demand;
    std::uint32_t mask = 0;
  };

  Routing(std::filesystem::path file, bool cleans_up, MarkAllocator allocator)
      : file_(std::move(file)), cleans_up_(cleans_up), allocator_(std::move(allocator)) {}
  [[nodiscard]] Expected<void> claim();
  [[nodiscard]] Expected<void> try_to_claim();
  [[nodiscard]] Expected<void> nothing_is_left() const;
  [[nodiscard]] Expected<void> carry_out(const Wish& wish);
  [[nodiscard]] Expected<void> remember(MarkAllocator allocator);
  [[nodiscard]] Expected<void> remove_all_but(const RoutingState& wanted);
  [[nodiscard]] Expected<void> update_nft_table(const Wish& wish);
  [[nodiscard]] Expected<void> remove_nft_table();

  std::filesystem::path file_;
  bool cleans_up_;
  int attempts_ = cleans_up_ ? 0 : 50;  // at the first claim, 20 ms apart: of private brokers alone
  MarkAllocator allocator_;
  std::optional<NamespaceClaim> claim_;
  std::optional<Wish> in_force_;
  Wish prepared_;
  std::string nft_commands_;  // last run; empty: the table is not there, or not known
};

}  // namespace px::broker
