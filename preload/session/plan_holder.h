// SPDX-License-Identifier: MIT
// What a process holds of the broker: the mapped plan of its profile, its counters page, and
// whether it has said hello. No descriptor, thread or lock: programs close what they do not know,
// fork with threads running and connect in signal handlers. One static instance, started by the
// constructor; afterwards callable from any thread and from signal handlers, and from a vfork child
// without harm to its parent. Changes no errno.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "libbundle/connect/egress.h"
#include "plan/counters.h"
#include "plan/plan.h"
#include "preload/process/settings.h"
#include "preload/session/extra_paths_request.h"
#include "preload/session/hello.h"

namespace px::shim {

class PlanHolder {
 public:
  using SayHello = HelloAnswer (*)(const Settings&, const Greeting&);

  constexpr explicit PlanHolder(SayHello say_hello) : say_hello_(say_hello) {}

  // Maps the published plan, if there is one yet. Once, before any other call.
  void start(const Settings& settings);

  // Whether it is known, without asking, that the verdict is kSystem whatever may be asked.
  [[nodiscard]] bool says_nothing() const;

  // The verdict, after as much of a hello as it needs. Without the broker's welcome, a program with
  // a profile of its environment gets kFail, another kSystem.
  [[nodiscard]] plan::Verdict decide(const plan::Call& call);

  // Whether it is known, without asking, that listening sockets get no mark.
  [[nodiscard]] bool leaves_servers_alone() const;
  // As much of a hello as this process still owes. Whether it may go on: only a program with a
  // profile of its environment, whom nobody answers, may not.
  [[nodiscard]] bool introduce();
  // The same, where that may be what chooses the transport of the program's stream sockets.
  void introduce_sockets();

  // As of the plan; 0 without one.
  [[nodiscard]] std::uint32_t mark_mask() const;
  [[nodiscard]] std::uint32_t listen_mark() const;
  // What the answers of servers leave by; kSystem, and nothing, without a plan.
  [[nodiscard]] plan::ListenMode listen_mode() const;
  [[nodiscard]] std::optional<plan::Entry> listen_entry(const plan::Call& call) const;
  [[nodiscard]] std::uint64_t generation() const;
  // A number of what is in force, for who remembers what it says: another one as soon as a plan is
  // published or replaced, 0 where none counts. For calls that can afford no more than three loads.
  [[nodiscard]] std::uint64_t in_force() const {
    const void* base = plan_.load(std::memory_order_acquire);
    if (base == nullptr || inactive_.load(std::memory_order_relaxed)) [[unlikely]]
      return 0;
    const auto published =
        static_cast<const plan::FileHeader*>(base)->published.load(std::memory_order_relaxed);
    return (reinterpret_cast<std::uintptr_t>(base) << 16) + published;
  }

  // Whether it is known, without asking, which plan is this program's, or that none is.
  [[nodiscard]] bool knows_plan() const;
  // As of the plan, which introduce() sees to where it matters: a program without a profile in its
  // environment has none before. Without a plan no name is a bundle, and no transport is given.
  [[nodiscard]] plan::BundleSettings bundle_settings() const;
  [[nodiscard]] std::optional<plan::BundleNotation> bundle_named(std::string_view name) const;
  // What this user's programs under this profile know of the member by that interface (0: the one
  // that its scope names, or the system's choice). Asks nobody.
  [[nodiscard]] bundle::Health health(const bundle::Endpoint& member,
                                      std::uint32_t interface_index) const;
  // Tells them, through the broker, without waiting for it.
  void report(const bundle::Endpoint& member, std::uint32_t interface_index, bool alive) const;
  // As request_extra_paths().
  [[nodiscard]] bool ask_for_paths(int fd, std::span<const bundle::Endpoint> members,
                                   PathAnswer answer) const {
    return request_extra_paths(settings_, fd, members, answer);
  }

  using Counter = std::atomic<std::uint64_t> plan::Counters::*;
  // One more, where there is a counters page.
  void count(Counter counter);

 private:
  // What is this very process's own: wiped to zeros in a forked child.
  struct Standing {
    std::atomic<std::int32_t> owner;     // pid; a vfork child's differs
    std::atomic<std::uint64_t> greeted;  // instance_key() that hello was said to
    std::atomic<std::int64_t> retry_at;  // ms; no further hello that got no answer before
    // The plan's recheck that hello was said after. No two plans ever have the same, but for 0.
    std::atomic<std::uint32_t> rechecked;
  };
  enum class Chosen : std::uint8_t { kUnknown, kNo, kMaybe };
  enum class Met : std::uint8_t { kNobody, kNoProfile, kPlan };

  [[nodiscard]] std::optional<plan::Plan> current() const;
  [[nodiscard]] std::uint64_t instance_key() const;
  [[nodiscard]] bool is_greeted() const;
  // Whether nobody has asked for another hello since the last one.
  [[nodiscard]] bool is_fresh(const plan::Plan& plan) const;
  [[nodiscard]] bool owns_standing();
  // `closed`: what fails without a welcome, of which the user is to be told.
  [[nodiscard]] Met greet(bool closed);
  [[nodiscard]] Met greet_first(bool closed);
  [[nodiscard]] Met greet_anew();
  [[nodiscard]] Met greet_again(std::uint64_t before, std::uint64_t key);
  // One hello, and what it brought mapped; for this process, unless it is a vfork child's.
  [[nodiscard]] Met ask(const Greeting& greeting, bool own, bool closed);
  [[nodiscard]] Greeting going_on() const;
  [[nodiscard]] bool adopt(const HelloAnswer& answer, const void* before, bool own);
  // Whether the current plan is now the answer's.
  [[nodiscard]] bool adopt_plan(const HelloAnswer& answer, const void* before);
  [[nodiscard]] const void* held_plan(const HelloAnswer& answer) const;
  void hold(const void* base);
  void adopt_counters(int fd);
  void complain(const HelloAnswer& answer);

  const SayHello say_hello_;
  Settings settings_{};
  Standing process_wide_{};  // where the kernel cannot wipe a page on fork
  Standing* standing_ = &process_wide_;
  std::atomic<const void*> plan_{nullptr};
  // What is mapped and stays so: a program may be moved there and back.
  std::array<std::atomic<const void*>, 16> held_{};
  std::atomic<plan::Counters*> counters_{nullptr};
  std::atomic<bool> welcomed_{
      false};  // by any broker, in this process or the one it is forked from
  std::atomic<Chosen> sockets_chosen_{Chosen::kUnknown};
  std::atomic<bool> inactive_{false};  // for good: it has no profile
  std::atomic<bool> complained_{false};
};

}  // namespace px::shim
