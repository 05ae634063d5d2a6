// SPDX-License-Identifier: MIT
#include "preload/session/broker_session.h"

#include <array>
#include <cerrno>
#include <optional>
#include <string_view>

#include "preload/process/clock.h"
#include "preload/process/notice.h"
#include "preload/process/signals.h"
#include "preload/process/system_calls.h"
#include "preload/session/broker_connection.h"
#include "preload/session/mapping.h"
#include "preload/session/turn.h"

namespace px::shim {
namespace {

constexpr std::int64_t kRetryAfterMs = 1000;
// For one decision: each but the first because the program was moved once more meanwhile.
constexpr int kMostHellos = 4;
// A program that is greeted has its plan, and is not to hang with its broker. It asks where the
// heartbeat, once a second, is not older than this, and waits no longer than this.
constexpr std::uint64_t kAtWorkMs = 2 * plan::kHeartbeatIntervalMs;
constexpr std::int64_t kGreetedPatienceMs = 1000;

// The instance of the broker whose plan this is; never 0.
std::uint64_t instance_of(const plan::Plan& plan) {
  const std::uint64_t instance = plan.broker_instance();
  return instance == 0 ? 1 : instance;
}

// Behind "cannot reach the broker at PATH".
std::string_view why_unreachable(int error) {
  switch (error) {
    case ENOENT:
    case ECONNREFUSED:
      return "; is pxd running? (px-exec starts one)";
    case EACCES:
    case EPERM:
      return ": the program may not";
    case EAFNOSUPPORT:
      return ": the program may use no Unix sockets";
    case EMFILE:
    case ENFILE:
      return ": no descriptor is left";
    default:
      return "; is it a broker's socket?";
  }
}

}  // namespace

bool BrokerSession::is_known_to_broker(const plan::Plan& plan) const {
  return process_.words().broker.load(std::memory_order_relaxed) == instance_of(plan);
}

// A new page comes after its plan is in force. A thread that looked its call up in the plan before
// finds the page fresh, and that plan the latest no more.
bool BrokerSession::is_fresh(const plan::Plan& plan) const {
  if (const auto recheck = counters_.recheck(instance_of(plan))) {
    return !*recheck && plan_.mapping() == plan.base();
  }
  return process_.words().rechecked.load(std::memory_order_relaxed) == plan.recheck();
}

bool BrokerSession::knows_plan() const {
  if (plan_.is_retired()) return true;
  const auto plan = plan_.latest();
  return plan && knows(*plan);
}

bool BrokerSession::ensure_session() {
  if (plan_.is_retired()) return true;
  const auto plan = plan_.latest();
  if (plan && has_joined(*plan)) return true;
  return join(fails_closed()) != Joining::kNobody || !fails_closed();
}

// The file is looked for once: programs are not to pay for a policy that is none of theirs.
void BrokerSession::ensure_session_for_sockets() {
  if (knows_plan() || settings_.problem != nullptr) return;
  Chosen chosen = sockets_chosen_.load(std::memory_order_relaxed);
  if (chosen == Chosen::kUnknown) {
    const KeepErrno keep;
    chosen = sockets_may_be_chosen(settings_) ? Chosen::kMaybe : Chosen::kNo;
    sockets_chosen_.store(chosen, std::memory_order_relaxed);
  }
  if (chosen == Chosen::kMaybe) (void)ensure_session();
}

BrokerSession::State BrokerSession::state() const {
  if (!welcomed_.load(std::memory_order_acquire)) return State::kFirstHello;
  const auto plan = plan_.latest();
  if (!plan) return State::kJoined;
  if (!is_fresh(*plan)) return State::kRecheck;
  return is_known_to_broker(*plan) ? State::kJoined : State::kRejoin;
}

BrokerSession::Joining BrokerSession::join(bool complains) {
  if (state() == State::kJoined) return Joining::kPlan;
  if (is_filtered(settings_)) return without_asking();
  const KeepErrno keep;
  const BlockSignals block;
  if (!process_.is_own()) return join_in_vfork_child(complains);
  const Turn turn(process_.words().greeting, settings_.deadline_ms);
  if (!turn.came()) return without_asking();
  switch (state()) {
    case State::kFirstHello:
      return first_hello(complains);
    case State::kRecheck:
      return recheck();
    case State::kRejoin:
      return rejoin();
    case State::kJoined:
      break;
  }
  return Joining::kPlan;
}

void BrokerSession::introduce_vfork_child() {
  const KeepErrno keep;
  if (is_filtered(settings_) || process_.is_own() ||
      process_.words().child.load(std::memory_order_relaxed) == ProcessState::own_pid()) {
    return;
  }
  const BlockSignals block;
  (void)ask(going_on(), false, false);
}

// Its parent's words are not its own to write, and its parent's turn may never end for it.
BrokerSession::Joining BrokerSession::join_in_vfork_child(bool complains) {
  if (state() != State::kFirstHello) return Joining::kPlan;
  if (waits_to_retry()) return without_asking();
  const Joining joining =
      ask({.profile = settings_.profile.data(), .second = second_socket()}, false, complains);
  if (joining != Joining::kNobody) return joining;
  retry_later();
  return without_asking();
}

BrokerSession::Joining BrokerSession::first_hello(bool complains) {
  if (waits_to_retry()) return without_asking();
  const Joining joining =
      ask({.profile = settings_.profile.data(), .second = second_socket()}, true, complains);
  if (joining == Joining::kPlan) welcomed_.store(true, std::memory_order_release);
  if (joining != Joining::kNobody) return joining;
  if (!fails_closed()) plan_.retire();
  retry_later();
  return without_asking();
}

// The program may have been given another profile, and every thread waits to know. If nobody
// answers, the last plan goes on.
BrokerSession::Joining BrokerSession::recheck() {
  for (int i = 0; i < kMostHellos; ++i) {
    const auto plan = plan_.latest();
    if (!plan || is_fresh(*plan) || waits_to_retry() || !is_at_work(*plan)) break;
    const Joining joining = ask(going_on(), true, false);
    if (joining == Joining::kNoProfile) return joining;
    if (joining == Joining::kNobody) retry_later();
  }
  return Joining::kPlan;
}

// For the session's sake: the plan goes on, whoever answers. Meanwhile the other threads have
// joined.
BrokerSession::Joining BrokerSession::rejoin() {
  const auto plan = plan_.latest();
  if (!plan || waits_to_retry() || !is_at_work(*plan)) return Joining::kPlan;
  auto& broker = process_.words().broker;
  const std::uint64_t before = broker.exchange(instance_of(*plan), std::memory_order_relaxed);
  const Joining joining = ask(going_on(), true, false);
  if (joining == Joining::kNobody) {
    broker.store(before, std::memory_order_relaxed);
    retry_later();
  }
  return joining == Joining::kNoProfile ? joining : Joining::kPlan;
}

BrokerSession::Joining BrokerSession::without_asking() const {
  if (state() != State::kFirstHello) return Joining::kPlan;
  const auto plan = plan_.latest();
  const bool unknown = is_filtered(settings_) || stays_unknown_.load(std::memory_order_relaxed);
  if (!unknown || !plan || plan->generation() == 0) return Joining::kNobody;
  const auto now = static_cast<std::uint64_t>(coarse_monotonic_ms());
  return plan->broker_lives(now) ? Joining::kPlan : Joining::kNobody;
}

bool BrokerSession::is_at_work(const plan::Plan& plan) const {
  return plan.broker_lives(static_cast<std::uint64_t>(coarse_monotonic_ms()), kAtWorkMs);
}

bool BrokerSession::waits_to_retry() const {
  return coarse_monotonic_ms() < process_.words().retry_at.load(std::memory_order_relaxed);
}

void BrokerSession::retry_later() {
  process_.words().retry_at.store(coarse_monotonic_ms() + kRetryAfterMs, std::memory_order_relaxed);
}

SecondSocket BrokerSession::second_socket() const {
  const auto plan = plan_.latest();
  return plan ? SecondSocket{plan->broker_instance(), plan_.owner()} : SecondSocket{};
}

HelloRequest BrokerSession::going_on() const {
  const auto plan = plan_.latest();
  return {plan ? plan->profile() : settings_.profile.data(), plan::kHelloGoesOn, kGreetedPatienceMs,
          second_socket()};
}

BrokerSession::Joining BrokerSession::ask(const HelloRequest& request, bool own, bool complains) {
  const void* before = plan_.mapping();
  HelloAnswer answer;
  if (settings_.problem == nullptr) answer = say_hello_(settings_, request);
  // Where nobody listens, the broker is dead.
  const bool unknown =
      answer.outcome == HelloOutcome::kNoPlace ||
      (answer.outcome == HelloOutcome::kUnreachable && answer.error != ECONNREFUSED);
  stays_unknown_.store(unknown, std::memory_order_relaxed);
  Joining joining = Joining::kNobody;
  if (answer.outcome == HelloOutcome::kNoProfile) {
    joining = Joining::kNoProfile;
    if (own) plan_.retire();
  } else if (answer.outcome == HelloOutcome::kWelcome && adopt(answer, before, own)) {
    joining = Joining::kPlan;
    if (!own) process_.words().child.store(ProcessState::own_pid(), std::memory_order_relaxed);
  }
  close_fd(answer.plan_fd);
  close_fd(answer.counters_fd);
  if (joining == Joining::kNobody && complains && without_asking() == Joining::kNobody) {
    complain(answer);
  }
  return joining;
}

// Where another thread has changed the plan since the hello, that thread's answer counts; and the
// page stays that says what is owed.
bool BrokerSession::adopt(const HelloAnswer& answer, const void* before, bool own) {
  const bool is_latest = plan_.adopt({.broker_instance = answer.broker_instance,
                                      .profile = answer.profile.data(),
                                      .fd = answer.plan_fd},
                                     before);
  const auto plan = plan_.latest();
  if (!plan) return false;
  if (!own) return true;
  if (!is_latest) return true;
  counters_.adopt(answer.counters_fd, answer.broker_instance);
  process_.words().rechecked.store(answer.recheck, std::memory_order_relaxed);
  process_.words().broker.store(instance_of(*plan), std::memory_order_relaxed);
  return true;
}

void BrokerSession::complain(const HelloAnswer& answer) {
  if (complained_.exchange(true, std::memory_order_relaxed)) return;
  using Parts = std::array<std::string_view, 3>;
  const std::string_view path(settings_.socket_path.data());
  if (settings_.problem != nullptr) {
    write_notice(settings_, Parts{settings_.problem});
  } else if (answer.outcome == HelloOutcome::kRefusal || answer.outcome == HelloOutcome::kBusy ||
             answer.outcome == HelloOutcome::kNoPlace) {
    write_notice(settings_, Parts{answer.reason.data()});
  } else if (answer.outcome == HelloOutcome::kUnreachable) {
    write_notice(settings_,
                 Parts{"cannot reach the broker at ", path, why_unreachable(answer.error)});
  } else if (answer.outcome == HelloOutcome::kHungUp) {
    write_notice(settings_, Parts{"the broker at ", path, " hangs up; is it another version?"});
  } else if (answer.outcome == HelloOutcome::kNoAnswer) {
    write_notice(settings_, Parts{"the broker at ", path, " does not answer in time"});
  } else {
    write_notice(settings_, Parts{"cannot use the answer of the broker at ", path,
                                  "; is it another version?"});
  }
}

}  // namespace px::shim
