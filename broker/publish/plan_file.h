// SPDX-License-Identifier: MIT
// One profile's plan file, as its one writer: found or made below the run directory. It stays when
// the broker ends, so that the next broker goes on with it. Owned by the Publisher;
// single-threaded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "plan/plan.h"
#include "util/error.h"
#include "util/fd.h"

namespace px::broker {

class PlanFile {
 public:
  // Opens DIRECTORY/PROFILE.plan, and goes on with the plan in it if it is this user's and of this
  // layout; anything else at that name is replaced.
  [[nodiscard]] static Expected<std::unique_ptr<PlanFile>> open(
      const std::filesystem::path& directory, const std::string& profile);
  ~PlanFile();
  PlanFile(const PlanFile&) = delete;
  PlanFile& operator=(const PlanFile&) = delete;

  // Writes a plan into the half that no program reads. False where it is the one in force already,
  // and nothing was written. Errors (a full file system) leave the plan in force as it was.
  [[nodiscard]] Expected<bool> prepare(std::span<const std::byte> plan);
  // Makes what was prepared the plan in force.
  void commit();

  // Tells programs that another broker serves them now.
  void announce(std::uint64_t instance);
  void beat(std::uint64_t now_ms);  // CLOCK_MONOTONIC in milliseconds
  // plan::FileHeader::recheck.
  void set_recheck(std::uint64_t number);
  [[nodiscard]] std::uint64_t recheck() const;
  // The health report of a program of the key's user; `now_ms` is CLOCK_BOOTTIME in milliseconds.
  void record_health(const plan::HealthKey& key, const plan::HealthFinding& finding,
                     std::uint64_t now_ms);
  void forget_health();
  [[nodiscard]] plan::Plan plan() const;
  // Whether a program under the plan in force may ask for a socket with this mark (not 0).
  [[nodiscard]] bool names_mark(std::uint32_t mark) const;
  [[nodiscard]] int read_only_fd() const { return reader_.get(); }    // to be passed to programs
  [[nodiscard]] std::size_t size() const { return current_.size(); }  // bytes of the plan in force

 private:
  PlanFile() = default;
  [[nodiscard]] plan::FileHeader& header() const;

  Fd writer_;
  Fd reader_;
  void* mapping_ = nullptr;
  std::vector<std::byte> current_;
  std::vector<std::byte> prepared_;
};

}  // namespace px::broker
