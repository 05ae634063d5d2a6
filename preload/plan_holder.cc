// SPDX-License-Identifier: MIT
#include "preload/plan_holder.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <ctime>
#include <new>
#include <string_view>

#include "preload/mapping.h"
#include "preload/notice.h"
#include "preload/signals.h"
#include "preload/system_calls.h"

namespace px::shim {
namespace {

constexpr std::int64_t kRetryAfterMs = 1000;

std::int64_t now_ms(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1000000;
}

void close_fd(int fd) {
  if (fd >= 0) ::syscall(SYS_close, fd);
}

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
  if (settings_.problem != nullptr) return;
  const int fd = open_plan(settings_);
  if (fd < 0) return;
  plan_.store(map_plan(fd), std::memory_order_release);
  close_fd(fd);
}

bool PlanHolder::says_nothing() const {
  const auto plan = current();
  return plan && !plan->has_rules();
}

bool PlanHolder::introduce() {
  if (current() && standing_->greeted.load(std::memory_order_relaxed) == instance_key()) {
    return true;
  }
  return greet() && current();
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

plan::Verdict PlanHolder::decide(const plan::Call& call) {
  const auto verdict_of = [&call](const plan::Plan& plan) {
    const KeepErrno keep;
    const auto now = plan.needs_time() ? now_ms(CLOCK_MONOTONIC) : 0;
    return plan.decide(call, static_cast<std::uint64_t>(now));
  };
  if (const auto plan = current()) {
    const auto verdict = verdict_of(*plan);
    if (verdict.action == plan::Action::kSystem) return verdict;
    if (standing_->greeted.load(std::memory_order_relaxed) == instance_key()) return verdict;
  }
  const bool welcome = greet();
  const auto plan = current();
  if (!welcome || !plan) return {plan::Action::kFail, plan::Reason::kNoPlan};
  return verdict_of(*plan);
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

bool PlanHolder::greet() {
  const KeepErrno keep;
  if (!welcomed_.load(std::memory_order_acquire)) return greet_first();
  const std::uint64_t key = instance_key();
  const std::uint64_t before = standing_->greeted.load(std::memory_order_relaxed);
  if (before != key) greet_again(before, key);
  return true;
}

bool PlanHolder::greet_first() {
  if (now_ms(CLOCK_MONOTONIC_COARSE) < standing_->retry_at.load(std::memory_order_relaxed)) {
    return false;
  }
  const bool own = owns_standing();
  if (!ask(true, own)) {
    standing_->retry_at.store(now_ms(CLOCK_MONOTONIC_COARSE) + kRetryAfterMs,
                              std::memory_order_relaxed);
    return false;
  }
  if (own) {
    standing_->greeted.store(instance_key(), std::memory_order_relaxed);
    welcomed_.store(true, std::memory_order_release);
  }
  return true;
}

// For the session's sake alone: the plan goes on, whoever answers. One thread asks, the others need
// not wait for it.
void PlanHolder::greet_again(std::uint64_t before, std::uint64_t key) {
  if (!owns_standing()) return;
  if (!standing_->greeted.compare_exchange_strong(before, key, std::memory_order_relaxed)) return;
  if (ask(false, true)) standing_->greeted.store(instance_key(), std::memory_order_relaxed);
}

bool PlanHolder::ask(bool first, bool with_counters) {
  const BlockSignals block;
  HelloAnswer answer;
  if (settings_.problem == nullptr) answer = say_hello_(settings_);
  const bool adopted = answer.outcome == HelloOutcome::kWelcome && adopt(answer, with_counters);
  close_fd(answer.plan_fd);
  close_fd(answer.counters_fd);
  if (!adopted && first) complain(answer);
  return adopted;
}

bool PlanHolder::adopt(const HelloAnswer& answer, bool with_counters) {
  adopt_plan(answer);
  if (!current()) return false;
  if (with_counters) adopt_counters(answer.counters_fd);
  return true;
}

// Keeps the mapped plan if it is this broker's. One that is replaced stays mapped: another thread
// may be deciding by it, and brokers that make new files are few.
void PlanHolder::adopt_plan(const HelloAnswer& answer) {
  const void* before = plan_.load(std::memory_order_acquire);
  const auto plan = plan::Plan::from_mapping(before, plan::kFileSize);
  if (plan && plan->broker_instance() == answer.broker_instance) return;
  const void* base = map_plan(answer.plan_fd);
  if (base != nullptr && !plan_.compare_exchange_strong(before, base, std::memory_order_acq_rel)) {
    unmap_plan(base);
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
