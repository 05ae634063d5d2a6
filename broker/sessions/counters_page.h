// SPDX-License-Identifier: MIT
// The broker's side of a program's counters page (plan/counters.h): a memfd sealed against every
// change of size. What stands there is the program's word, and only shown. Move-only;
// single-threaded.
#pragma once

#include <cstdint>

#include "plan/counters.h"
#include "util/error.h"
#include "util/fd.h"

namespace px::broker {

struct Totals {
  std::uint64_t routed = 0;
  std::uint64_t system = 0;
  std::uint64_t refused = 0;
  std::uint64_t unavailable = 0;
  // Looked up for it by the broker, which counts them itself; and those that no server answered.
  std::uint64_t names = 0;
  std::uint64_t names_failed = 0;

  Totals& operator+=(const Totals& other);
  // What has been counted since `before`, of the same programs; 0 where a program counted down.
  [[nodiscard]] Totals since(const Totals& before) const;
  friend bool operator==(const Totals&, const Totals&) = default;
};

class CountersPage {
 public:
  struct Made;
  [[nodiscard]] static Expected<Made> make();
  CountersPage(CountersPage&& other) noexcept;
  CountersPage& operator=(CountersPage&& other) noexcept;
  ~CountersPage();

  [[nodiscard]] Totals totals() const;
  // Has whoever uses this page say hello before the next decision.
  void raise_recheck() const;

 private:
  explicit CountersPage(plan::Counters* counters) : counters_(counters) {}
  plan::Counters* counters_;
};

struct CountersPage::Made {
  CountersPage page;
  Fd fd;  // to be passed to the program, and closed
};

}  // namespace px::broker
