// SPDX-License-Identifier: MIT
// Every profile's plan, published together: all of a policy or nothing of it. Owned by the daemon,
// single-threaded.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "broker/config/policy.h"
#include "broker/host/snapshot.h"
#include "broker/publish/plan_file.h"
#include "broker/routing/routing_demand.h"
#include "util/error.h"

namespace px::broker {

class Publisher {
 public:
  struct Published {
    std::unique_ptr<PlanFile> file;
    bool removed = false;  // no longer in the policy; kept for the programs that still run under it
  };

  // Uses `run_directory`/plan-v3, which is made if missing.
  [[nodiscard]] static Expected<Publisher> open(const std::filesystem::path& run_directory);

  // Compiles and writes every plan, with the marks that next hops and servers have been given, and
  // only when nothing can fail any more puts all in force, plan::kAllSocketsFile with them. Plan
  // files of profiles that the policy does not have fail closed from then on.
  [[nodiscard]] Expected<void> publish(const Policy& policy, const Snapshot& snapshot,
                                       const Marks& marks);

  // Tells programs, in this and every later plan, that the broker of this number (not 0) serves
  // them. To be called once it can be reached: they say hello to it right away.
  void announce(std::uint64_t instance);
  void beat(std::uint64_t now_ms);  // CLOCK_MONOTONIC in milliseconds
  // Has every program under the profile that has no counters page say hello before it decides.
  void recheck(const std::string& profile);

  // The health report of a program of the key's user. Nothing where there is no such profile.
  void record_health(const std::string& profile, const plan::HealthKey& key,
                     const plan::HealthFinding& finding,
                     std::uint64_t now_ms);  // CLOCK_BOOTTIME in milliseconds
  // Of every profile; programs forget the answers to lookups, too.
  void forget_health();

  // Removes the plan file of a profile that is not in the policy, and that no program runs under.
  void forget(const std::string& profile);

  // Null for a profile that is not in the policy.
  [[nodiscard]] const PlanFile* find(const std::string& profile) const;
  [[nodiscard]] const std::map<std::string, Published>& all() const { return plans_; }

 private:
  explicit Publisher(std::filesystem::path directory) : directory_(std::move(directory)) {}
  [[nodiscard]] Expected<void> ensure_file(const std::string& profile);
  [[nodiscard]] Expected<void> adopt_left_over();

  std::filesystem::path directory_;
  std::uint64_t instance_ = 0;  // 0: not announced yet
  // The number that was given out last, over all plans: what a program remembers of one plan is
  // never true of another.
  std::uint64_t recheck_ = 0;
  std::map<std::string, Published> plans_;
};

}  // namespace px::broker
