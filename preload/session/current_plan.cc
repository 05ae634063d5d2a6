// SPDX-License-Identifier: MIT
#include "preload/session/current_plan.h"

#include "preload/process/system_calls.h"
#include "preload/session/broker_connection.h"
#include "preload/session/mapping.h"

namespace px::shim {

static_assert(plan::ListenMode{} == plan::ListenMode::kSystem);
static_assert(plan::BundleSettings{}.transports[0] == plan::BundleTransport::kNone);

void CurrentPlan::start(const Settings& settings) {
  if (settings.problem != nullptr || !settings.named) return;
  const KeepErrno keep;
  const int fd = open_plan(settings);
  if (fd < 0) return;
  const void* base = map_plan(fd, &owner_);
  hold(base);
  base_.store(base, std::memory_order_release);
  close_fd(fd);
}

bool CurrentPlan::adopt(const Given& given, const void* before) {
  const void* known = held(given);
  if (known != nullptr && known == before) return mapping() == known;
  const void* base = known != nullptr ? known : map_plan(given.fd, &owner_);
  if (base == nullptr) return false;
  if (base_.compare_exchange_strong(before, base, std::memory_order_acq_rel)) {
    if (known == nullptr) hold(base);
    return true;
  }
  if (known == nullptr) unmap_plan(base);
  return false;
}

// The given plan, where it is mapped already.
const void* CurrentPlan::held(const Given& given) const {
  for (const auto& slot : held_) {
    const void* base = slot.load(std::memory_order_acquire);
    const auto plan = plan::Plan::from_mapping(base, plan::kFileSize);
    if (plan && plan->broker_instance() == given.broker_instance &&
        plan->profile() == given.profile) {
      return base;
    }
  }
  return nullptr;
}

// A plan that is replaced stays mapped, also where there is no more room to remember it: another
// thread may be deciding by it.
void CurrentPlan::hold(const void* base) {
  for (auto& slot : held_) {
    const void* none = nullptr;
    if (slot.compare_exchange_strong(none, base, std::memory_order_acq_rel)) return;
  }
}

}  // namespace px::shim
