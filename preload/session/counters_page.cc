// SPDX-License-Identifier: MIT
#include "preload/session/counters_page.h"

#include "preload/session/mapping.h"

namespace px::shim {

// A later page takes the place of the one that other threads may be counting on, so that the page
// in use is among the last that the broker made: what was counted on the others it keeps.
bool CountersPage::map(int fd) {
  plan::Counters* place = page_.load(std::memory_order_acquire);
  plan::Counters* counters = map_counters(fd, place);
  if (place != nullptr || counters == nullptr) return counters != nullptr;
  if (page_.compare_exchange_strong(place, counters, std::memory_order_acq_rel)) return true;
  unmap_counters(counters);
  return map_counters(fd, place) != nullptr;
}

// A former page that could not be replaced would have the program say hello for ever.
void CountersPage::adopt(int fd, std::uint64_t instance) {
  maker_.store(map(fd) ? instance : 0, std::memory_order_release);
}

}  // namespace px::shim
