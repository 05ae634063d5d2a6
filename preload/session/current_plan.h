// SPDX-License-Identifier: MIT
// Which plan the program is under, and the mappings behind that. Asks nobody: the session with the
// broker (broker_session.h) puts another plan here. A plan is a snapshot: what it says may be
// replaced at any time, its mapping stays for good. One static instance, started by the
// constructor; afterwards callable from any thread and from signal handlers, and from a vfork
// child.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string_view>

#include "plan/plan.h"
#include "preload/process/settings.h"

namespace px::shim {

class CurrentPlan {
 public:
  // Maps the plan file of the environment's profile, if there is one yet. Once, before any other
  // call. Changes no errno.
  void start(const Settings& settings);

  // The plan that calls are decided by; nothing without one, and where the program has no profile.
  [[nodiscard]] std::optional<plan::Plan> in_force() const {
    return is_retired() ? std::nullopt : latest();
  }
  // The plan that was put here last, also where the program has no profile any more: its sockets
  // still have that plan's marks.
  [[nodiscard]] std::optional<plan::Plan> latest() const {
    return plan::Plan::from_mapping(mapping(), plan::kFileSize);
  }

  // A number of the plan in force, for callers that remember what it says: another number as soon
  // as a plan is published or replaced, 0 where none is in force. Three loads, for calls that can
  // afford no more.
  [[nodiscard]] std::uint64_t version() const {
    const void* base = mapping();
    if (base == nullptr || is_retired()) [[unlikely]]
      return 0;
    const auto published =
        static_cast<const plan::FileHeader*>(base)->published.load(std::memory_order_relaxed);
    return (reinterpret_cast<std::uintptr_t>(base) << 16) + published;
  }

  // The program has no profile, for good: no plan is in force from now on.
  void retire() { retired_.store(true, std::memory_order_relaxed); }
  [[nodiscard]] bool is_retired() const { return retired_.load(std::memory_order_relaxed); }

  // Of the latest plan; null without one.
  [[nodiscard]] const void* mapping() const { return base_.load(std::memory_order_acquire); }

  // The user of the broker that made the plan that was mapped last.
  [[nodiscard]] uid_t owner() const { return owner_.load(std::memory_order_relaxed); }

  // A plan that a broker gave. The descriptor stays the caller's.
  struct Given {
    std::uint64_t broker_instance;
    std::string_view profile;
    int fd;
  };
  // Puts the given plan in the place of `before`, a mapping(). Whether it is the latest now: where
  // another plan was put there meanwhile, the given one may be the older. May change errno.
  [[nodiscard]] bool adopt(const Given& given, const void* before);

 private:
  [[nodiscard]] const void* held(const Given& given) const;
  void hold(const void* base);

  std::atomic<const void*> base_{nullptr};
  std::atomic<bool> retired_{false};
  std::atomic<uid_t> owner_{0};
  // Plans that stay mapped: a program may be moved there and back.
  std::array<std::atomic<const void*>, 16> held_{};
};

// What the plan says; without a plan the type's zero, which changes nothing: no mark, no bundles,
// listening as the host routes it.
template <typename Value>
[[nodiscard]] Value value_of(const std::optional<plan::Plan>& plan,
                             Value (plan::Plan::*getter)() const) {
  return plan ? ((*plan).*getter)() : Value{};
}

}  // namespace px::shim
