// SPDX-License-Identifier: MIT
#include "preload/session/plan_holder.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <new>
#include <string_view>

#include "preload/process/clock.h"
#include "preload/process/notice.h"
#include "preload/process/signals.h"
#include "preload/process/system_calls.h"
#include "preload/session/broker_connection.h"
#include "preload/session/health_report.h"
#include "preload/session/mapping.h"

namespace px::shim {
namespace {

constexpr std::int64_t kRetryAfterMs = 1000;
// For one decision: each but the first because the program was moved once more meanwhile.
constexpr int kMostHellos = 4;

}  // namespace

void PlanHolder::start(const Settings& settings) {
  const KeepErrno keep;
  settings_ = settings;
  void* page =
      ::mmap(nullptr, sizeof(Standing), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page != MAP_FAILED) {
    // Where this fails (before Linux 4.14) a forked child has its parent's session.
    ::madvise(page, sizeof(Standing), MADV_WIPEONFORK);
    standing_ = new (page) Standing{};
  }
  (void)owns_standing();
  if (settings_.problem != nullptr || !settings_.named) return;
  const int fd = open_plan(settings_);
  if (fd < 0) return;
  const void* base = map_plan(fd);
  hold(base);
  plan_.store(base, std::memory_order_release);
  close_fd(fd);
}

bool PlanHolder::says_nothing() const {
  if (inactive_.load(std::memory_order_relaxed)) return true;
  const auto plan = current();
  return plan && !plan->has_rules() && is_fresh(*plan) && (!plan->matching() || is_greeted());
}

plan::ListenMode PlanHolder::listen_mode() const {
  const auto plan = current();
  return plan ? plan->listen_mode() : plan::ListenMode::kSystem;
}

std::optional<plan::Entry> PlanHolder::listen_entry(const plan::Call& call) const {
  const auto plan = current();
  return plan ? plan->listen_entry(call) : std::nullopt;
}

std::uint64_t PlanHolder::generation() const {
  const auto plan = current();
  return plan ? plan->generation() : 0;
}

bool PlanHolder::knows_plan() const {
  if (inactive_.load(std::memory_order_relaxed)) return true;
  const auto plan = current();
  return plan && is_fresh(*plan) && (!plan->matching() || is_greeted());
}

plan::BundleSettings PlanHolder::bundle_settings() const {
  if (inactive_.load(std::memory_order_relaxed)) return {};
  const auto plan = current();
  return plan ? plan->bundle_settings() : plan::BundleSettings{};
}

std::optional<plan::BundleNotation> PlanHolder::bundle_named(std::string_view name) const {
  const auto plan = current();
  return plan ? plan->bundle_named(name) : std::nullopt;
}

bundle::Health PlanHolder::health(const bundle::Endpoint& member,
                                  std::uint32_t interface_index) const {
  const auto plan = current();
  if (!plan) return bundle::Health::kUnknown;
  const KeepErrno keep;
  const auto user = static_cast<std::uint32_t>(::syscall(SYS_geteuid));
  return plan->health(plan::health_key(user, member, interface_index),
                      static_cast<std::uint64_t>(clock_ms(CLOCK_BOOTTIME)));
}

void PlanHolder::report(const bundle::Endpoint& member, std::uint32_t interface_index,
                        bool alive) const {
  const auto plan = current();
  if (!plan || settings_.problem != nullptr) return;
  send_health_report(settings_, plan->profile(), plan::health_key(0, member, interface_index),
                     alive);
}

plan::Verdict PlanHolder::decide(const plan::Call& call) {
  using enum plan::Action;
  const auto verdict_of = [&call](const plan::Plan& plan) {
    const KeepErrno keep;
    const auto now = plan.needs_time() ? monotonic_ms() : 0;
    return plan.decide(call, static_cast<std::uint64_t>(now));
  };
  if (inactive_.load(std::memory_order_relaxed)) return {};
  bool closed = settings_.named;
  if (const auto plan = current()) {
    const auto verdict = verdict_of(*plan);
    if (is_fresh(*plan)) {
      if (is_greeted()) return verdict;
      if (verdict.action == kSystem && !plan->matching()) return verdict;
    }
    closed = closed && verdict.action != kSystem;
  }
  const Met met = greet(closed);
  const auto plan = current();
  if (met == Met::kPlan && plan) return verdict_of(*plan);
  if (met == Met::kNoProfile || !closed) return {};
  return {kFail, plan::Reason::kNoPlan};
}

bool PlanHolder::leaves_servers_alone() const {
  if (inactive_.load(std::memory_order_relaxed)) return true;
  const auto plan = current();
  return plan && plan->listen_mark() == 0 && is_fresh(*plan) && (!plan->matching() || is_greeted());
}

bool PlanHolder::introduce() {
  if (inactive_.load(std::memory_order_relaxed)) return true;
  const auto plan = current();
  if (plan && is_fresh(*plan) && is_greeted()) return true;
  return greet(settings_.named) != Met::kNobody || !settings_.named;
}

// Looked for once: programs are not to pay for a policy that is none of theirs.
void PlanHolder::introduce_sockets() {
  if (knows_plan() || settings_.problem != nullptr) return;
  Chosen chosen = sockets_chosen_.load(std::memory_order_relaxed);
  if (chosen == Chosen::kUnknown) {
    const KeepErrno keep;
    chosen = sockets_may_be_chosen(settings_) ? Chosen::kMaybe : Chosen::kNo;
    sockets_chosen_.store(chosen, std::memory_order_relaxed);
  }
  if (chosen == Chosen::kMaybe) (void)introduce();
}

std::uint32_t PlanHolder::mark_mask() const {
  const auto plan = current();
  return plan ? plan->mark_mask() : 0;
}

std::uint32_t PlanHolder::listen_mark() const {
  const auto plan = current();
  return plan ? plan->listen_mark() : 0;
}

void PlanHolder::count(Counter counter) {
  // A forked child has its parent's page until it has said hello itself.
  if (standing_->greeted.load(std::memory_order_relaxed) == 0) return;
  plan::Counters* counters = counters_.load(std::memory_order_acquire);
  if (counters != nullptr) (counters->*counter).fetch_add(1, std::memory_order_relaxed);
}

std::optional<plan::Plan> PlanHolder::current() const {
  return plan::Plan::from_mapping(plan_.load(std::memory_order_acquire), plan::kFileSize);
}

// The instance of the broker whose plan is mapped; 0 without a plan, and never 0 with one.
std::uint64_t PlanHolder::instance_key() const {
  const auto plan = current();
  if (!plan) return 0;
  const std::uint64_t instance = plan->broker_instance();
  return instance == 0 ? 1 : instance;
}

// A vfork child shares its parent's memory: it may use what is there, but what it does with the
// broker is not its parent's doing.
bool PlanHolder::owns_standing() {
  const auto self = static_cast<std::int32_t>(::syscall(SYS_getpid));
  std::int32_t owner = 0;
  return standing_->owner.compare_exchange_strong(owner, self, std::memory_order_relaxed) ||
         owner == self;
}

bool PlanHolder::is_greeted() const {
  return standing_->greeted.load(std::memory_order_relaxed) == instance_key();
}

bool PlanHolder::is_fresh(const plan::Plan& plan) const {
  return standing_->rechecked.load(std::memory_order_relaxed) == plan.recheck();
}

PlanHolder::Met PlanHolder::greet(bool closed) {
  const KeepErrno keep;
  if (!welcomed_.load(std::memory_order_acquire)) return greet_first(closed);
  const auto plan = current();
  if (plan && !is_fresh(*plan)) return greet_anew();
  const std::uint64_t key = instance_key();
  const std::uint64_t before = standing_->greeted.load(std::memory_order_relaxed);
  return before == key ? Met::kPlan : greet_again(before, key);
}

PlanHolder::Met PlanHolder::greet_first(bool closed) {
  if (coarse_monotonic_ms() < standing_->retry_at.load(std::memory_order_relaxed)) {
    return Met::kNobody;
  }
  const bool own = owns_standing();
  const Met met = ask({.profile = settings_.profile.data()}, own, closed);
  if (met == Met::kPlan && own) welcomed_.store(true, std::memory_order_release);
  if (met != Met::kNobody) return met;
  const bool met_by_another = welcomed_.load(std::memory_order_acquire);
  if (!settings_.named && own && !met_by_another) inactive_.store(true, std::memory_order_relaxed);
  standing_->retry_at.store(coarse_monotonic_ms() + kRetryAfterMs, std::memory_order_relaxed);
  return met;
}

// The program may have been given another profile, and every thread waits to know. If nobody
// answers, the last plan goes on.
PlanHolder::Met PlanHolder::greet_anew() {
  if (!owns_standing()) return Met::kPlan;
  for (int i = 0; i < kMostHellos; ++i) {
    const auto plan = current();
    if (!plan || is_fresh(*plan)) break;
    if (coarse_monotonic_ms() < standing_->retry_at.load(std::memory_order_relaxed)) break;
    const Met met = ask(going_on(), true, false);
    if (met == Met::kNoProfile) return met;
    if (met == Met::kPlan) continue;
    standing_->retry_at.store(coarse_monotonic_ms() + kRetryAfterMs, std::memory_order_relaxed);
  }
  return Met::kPlan;
}

// For the session's sake: the plan goes on, whoever answers. One thread asks, the others need not
// wait for it.
PlanHolder::Met PlanHolder::greet_again(std::uint64_t before, std::uint64_t key) {
  if (!owns_standing()) return Met::kPlan;
  if (!standing_->greeted.compare_exchange_strong(before, key, std::memory_order_relaxed)) {
    return Met::kPlan;
  }
  return ask(going_on(), true, false) == Met::kNoProfile ? Met::kNoProfile : Met::kPlan;
}

Greeting PlanHolder::going_on() const {
  const auto plan = current();
  return {plan ? plan->profile() : settings_.profile.data(), plan::kHelloGoesOn};
}

PlanHolder::Met PlanHolder::ask(const Greeting& greeting, bool own, bool closed) {
  const BlockSignals block;
  const void* before = plan_.load(std::memory_order_acquire);
  HelloAnswer answer;
  if (settings_.problem == nullptr) answer = say_hello_(settings_, greeting);
  Met met = Met::kNobody;
  if (answer.outcome == HelloOutcome::kNoProfile) {
    met = Met::kNoProfile;
    if (own) inactive_.store(true, std::memory_order_relaxed);
  } else if (answer.outcome == HelloOutcome::kWelcome && adopt(answer, before, own)) {
    met = Met::kPlan;
  }
  close_fd(answer.plan_fd);
  close_fd(answer.counters_fd);
  if (met == Met::kNobody && closed) complain(answer);
  return met;
}

bool PlanHolder::adopt(const HelloAnswer& answer, const void* before, bool own) {
  const bool current_is_its = adopt_plan(answer, before);
  if (!current()) return false;
  if (!own) return true;
  adopt_counters(answer.counters_fd);
  if (!current_is_its) return true;
  standing_->rechecked.store(answer.recheck, std::memory_order_relaxed);
  standing_->greeted.store(instance_key(), std::memory_order_relaxed);
  return true;
}

// Where another thread has changed the plan since the hello, this answer may be the older one.
bool PlanHolder::adopt_plan(const HelloAnswer& answer, const void* before) {
  const void* held = held_plan(answer);
  if (held != nullptr && held == before) return plan_.load(std::memory_order_acquire) == held;
  const void* base = held != nullptr ? held : map_plan(answer.plan_fd);
  if (base == nullptr) return false;
  if (plan_.compare_exchange_strong(before, base, std::memory_order_acq_rel)) {
    if (held == nullptr) hold(base);
    return true;
  }
  if (held == nullptr) unmap_plan(base);
  return false;
}

// The answer's plan, where it is mapped already: a plan that is this broker's.
const void* PlanHolder::held_plan(const HelloAnswer& answer) const {
  for (const auto& held : held_) {
    const void* base = held.load(std::memory_order_acquire);
    const auto plan = plan::Plan::from_mapping(base, plan::kFileSize);
    if (plan && plan->broker_instance() == answer.broker_instance &&
        plan->profile() == answer.profile.data()) {
      return base;
    }
  }
  return nullptr;
}

// A plan that is replaced stays mapped, also where there is no more room to remember it: another
// thread may be deciding by it.
void PlanHolder::hold(const void* base) {
  for (auto& held : held_) {
    const void* none = nullptr;
    if (held.compare_exchange_strong(none, base, std::memory_order_acq_rel)) return;
  }
}

// A later page takes the place of the one that other threads may be counting on, so that the page
// in use is among the last that the broker made: what was counted on the others it keeps.
void PlanHolder::adopt_counters(int fd) {
  plan::Counters* place = counters_.load(std::memory_order_acquire);
  plan::Counters* counters = map_counters(fd, place);
  if (place != nullptr || counters == nullptr) return;
  if (counters_.compare_exchange_strong(place, counters, std::memory_order_acq_rel)) return;
  unmap_counters(counters);
  (void)map_counters(fd, place);
}

void PlanHolder::complain(const HelloAnswer& answer) {
  if (complained_.exchange(true, std::memory_order_relaxed)) return;
  using Parts = std::array<std::string_view, 3>;
  const std::string_view path(settings_.socket_path.data());
  if (settings_.problem != nullptr) {
    write_notice(settings_, Parts{settings_.problem});
  } else if (answer.outcome == HelloOutcome::kRefusal) {
    write_notice(settings_, Parts{answer.reason.data()});
  } else if (answer.outcome == HelloOutcome::kNoAnswer) {
    write_notice(settings_, Parts{"no answer from the broker at ", path,
                                  "; is pxd running? (px-exec starts one)"});
  } else {
    write_notice(settings_, Parts{"cannot use the answer of the broker at ", path,
                                  "; is it another version?"});
  }
}

}  // namespace px::shim
