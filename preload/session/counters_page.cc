// SPDX-License-Identifier: MIT
#include "preload/session/counters_page.h"

#include "preload/session/mapping.h"

namespace px::shim {

// A later page takes the place of the one that other threads may be counting on, so that the page
// in use is among the last that the broker made: what was counted on the others it keeps.
void CountersPage::adopt(int fd) {
  plan::Counters* place = page_.load(std::memory_order_acquire);
  plan::Counters* counters = map_counters(fd, place);
  if (place != nullptr || counters == nullptr) return;
  if (page_.compare_exchange_strong(place, counters, std::memory_order_acq_rel)) return;
  unmap_counters(counters);
  (void)map_counters(fd, place);
}

}  // namespace px::shim
