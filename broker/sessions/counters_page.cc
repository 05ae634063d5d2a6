// SPDX-License-Identifier: MIT
#include "broker/sessions/counters_page.h"

#include <fcntl.h>
#include <sys/mman.h>

namespace px::broker {

Totals& Totals::operator+=(const Totals& other) {
  routed += other.routed;
  system += other.system;
  refused += other.refused;
  unavailable += other.unavailable;
  names += other.names;
  names_failed += other.names_failed;
  return *this;
}

Totals Totals::since(const Totals& before) const {
  const auto more = [](std::uint64_t now, std::uint64_t then) {
    return now > then ? now - then : 0;
  };
  return {.routed = more(routed, before.routed),
          .system = more(system, before.system),
          .refused = more(refused, before.refused),
          .unavailable = more(unavailable, before.unavailable),
          .names = more(names, before.names),
          .names_failed = more(names_failed, before.names_failed)};
}

Expected<CountersPage::Made> CountersPage::make() {
  Fd fd(memfd_create("px-counters", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) return fail_errno("memfd_create");
  // Without the seals a program could shrink the page under the broker, which would then die of
  // SIGBUS when reading it.
  if (ftruncate(fd.get(), plan::kCountersSize) != 0 ||
      fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
    return fail_errno("sealing the counters page");
  }
  void* mapping =
      mmap(nullptr, plan::kCountersSize, PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  if (mapping == MAP_FAILED) return fail_errno("mapping the counters page");
  return Made{CountersPage(static_cast<plan::Counters*>(mapping)), std::move(fd)};
}

CountersPage::CountersPage(CountersPage&& other) noexcept
    : counters_(std::exchange(other.counters_, nullptr)) {}

CountersPage& CountersPage::operator=(CountersPage&& other) noexcept {
  std::swap(counters_, other.counters_);
  return *this;
}

CountersPage::~CountersPage() {
  if (counters_ != nullptr) munmap(counters_, plan::kCountersSize);
}

void CountersPage::raise_recheck() const {
  counters_->recheck.store(1, std::memory_order_release);
}

Totals CountersPage::totals() const {
  constexpr auto kOrder = std::memory_order_relaxed;
  Totals totals;
  totals.routed = counters_->routed.load(kOrder);
  totals.system = counters_->system.load(kOrder);
  totals.refused = counters_->refused.load(kOrder);
  totals.unavailable = counters_->unavailable.load(kOrder);
  totals.names = counters_->names.load(kOrder);
  return totals;
}

}  // namespace px::broker
