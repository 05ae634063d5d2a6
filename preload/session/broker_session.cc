// SPDX-License-Identifier: MIT
#include "preload/session/broker_session.h"

#include <array>
#include <optional>
#include <string_view>

#include "preload/process/clock.h"
#include "preload/process/notice.h"
#include "preload/process/signals.h"
#include "preload/process/system_calls.h"
#include "preload/session/broker_connection.h"
#include "preload/session/mapping.h"

namespace px::shim {
namespace {

constexpr std::int64_t kRetryAfterMs = 1000;
// For one decision: each but the first because the program was moved once more meanwhile.
constexpr int kMostHellos = 4;

// The instance of the broker whose plan this is; never 0.
std::uint64_t instance_of(const plan::Plan& plan) {
  const std::uint64_t instance = plan.broker_instance();
  return instance == 0 ? 1 : instance;
}

}  // namespace

bool BrokerSession::is_known_to_broker(const plan::Plan& plan) const {
  return process_.words().broker.load(std::memory_order_relaxed) == instance_of(plan);
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
  const KeepErrno keep;
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

BrokerSession::Joining BrokerSession::first_hello(bool complains) {
  if (waits_to_retry()) return Joining::kNobody;
  const bool own = process_.is_own();
  const Joining joining = ask({.profile = settings_.profile.data()}, own, complains);
  if (joining == Joining::kPlan && own) welcomed_.store(true, std::memory_order_release);
  if (joining != Joining::kNobody) return joining;
  const bool another_was_welcomed = welcomed_.load(std::memory_order_acquire);
  if (!fails_closed() && own && !another_was_welcomed) plan_.retire();
  retry_later();
  return joining;
}

// The program may have been given another profile, and every thread waits to know. If nobody
// answers, the last plan goes on.
BrokerSession::Joining BrokerSession::recheck() {
  if (!process_.is_own()) return Joining::kPlan;
  for (int i = 0; i < kMostHellos; ++i) {
    const auto plan = plan_.latest();
    if (!plan || is_fresh(*plan) || waits_to_retry()) break;
    const Joining joining = ask(going_on(), true, false);
    if (joining == Joining::kNoProfile) return joining;
    if (joining == Joining::kNobody) retry_later();
  }
  return Joining::kPlan;
}

// For the session's sake: the plan goes on, whoever answers. One thread asks, the others need not
// wait for it.
BrokerSession::Joining BrokerSession::rejoin() {
  if (!process_.is_own()) return Joining::kPlan;
  auto& broker = process_.words().broker;
  std::uint64_t before = broker.load(std::memory_order_relaxed);
  const auto plan = plan_.latest();
  if (!plan || before == instance_of(*plan)) return Joining::kPlan;
  if (!broker.compare_exchange_strong(before, instance_of(*plan), std::memory_order_relaxed)) {
    return Joining::kPlan;
  }
  const Joining joining = ask(going_on(), true, false);
  return joining == Joining::kNoProfile ? joining : Joining::kPlan;
}

bool BrokerSession::waits_to_retry() const {
  return coarse_monotonic_ms() < process_.words().retry_at.load(std::memory_order_relaxed);
}

void BrokerSession::retry_later() {
  process_.words().retry_at.store(coarse_monotonic_ms() + kRetryAfterMs, std::memory_order_relaxed);
}

HelloRequest BrokerSession::going_on() const {
  const auto plan = plan_.latest();
  return {plan ? plan->profile() : settings_.profile.data(), plan::kHelloGoesOn};
}

BrokerSession::Joining BrokerSession::ask(const HelloRequest& request, bool own, bool complains) {
  const BlockSignals block;
  const void* before = plan_.mapping();
  HelloAnswer answer;
  if (settings_.problem == nullptr) answer = say_hello_(settings_, request);
  Joining joining = Joining::kNobody;
  if (answer.outcome == HelloOutcome::kNoProfile) {
    joining = Joining::kNoProfile;
    if (own) plan_.retire();
  } else if (answer.outcome == HelloOutcome::kWelcome && adopt(answer, before, own)) {
    joining = Joining::kPlan;
  }
  close_fd(answer.plan_fd);
  close_fd(answer.counters_fd);
  if (joining == Joining::kNobody && complains) complain(answer);
  return joining;
}

// Where another thread has changed the plan since the hello, that thread's answer counts.
bool BrokerSession::adopt(const HelloAnswer& answer, const void* before, bool own) {
  const bool is_latest = plan_.adopt({.broker_instance = answer.broker_instance,
                                      .profile = answer.profile.data(),
                                      .fd = answer.plan_fd},
                                     before);
  const auto plan = plan_.latest();
  if (!plan) return false;
  if (!own) return true;
  counters_.adopt(answer.counters_fd);
  if (!is_latest) return true;
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
