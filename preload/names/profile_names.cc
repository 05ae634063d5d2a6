// SPDX-License-Identifier: MIT
#include "preload/names/profile_names.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "preload/names/resolver_environment.h"
#include "preload/process/clock.h"
#include "preload/process/system_calls.h"

namespace px::shim {
namespace {

// For the broker to say that all of the time has passed.
constexpr std::int64_t kMarginMs = 1000;
// For one lookup: each but the first because another broker was started.
constexpr int kMostHellos = 4;

plan::Lookup lookup_of(const dns::Name& name, const ProfileNames::Questions& questions) {
  auto lookup = plan::make<plan::Lookup>();
  std::copy(questions.types.begin(), questions.types.end(), lookup.types);
  lookup.query_class = questions.query_class;
  lookup.flags = questions.flags;
  lookup.ndots = plan::kNdotsOfProfile;
  const auto wire = name.wire();
  std::copy(wire.begin(), wire.end(), lookup.name);
  lookup.name_length = static_cast<std::uint8_t>(wire.size());
  return lookup;
}

}  // namespace

plan::NameSettings ProfileNames::names() const {
  if (const auto in_force = plan_.in_force()) return in_force->names();
  if (plan_.is_retired() || !session_.fails_closed()) return {};
  return plan::kNoNameServers;
}

std::optional<std::size_t> ProfileNames::servers(std::span<bundle::Endpoint> room) const {
  if (from() != plan::NamesFrom::kProfile) return std::nullopt;
  const auto in_force = plan_.in_force();
  return in_force ? in_force->name_servers(room) : 0;
}

plan::LookupOutcome ProfileNames::look_up(const dns::Name& name, const Questions& questions,
                                          LookupReply* reply) {
  plan::Lookup lookup = lookup_of(name, questions);
  const KeepErrno keep;
  apply_environment(&lookup);
  if (recall(lookup, reply)) return reply->outcome();
  return ask(&lookup, reply);
}

plan::LookupOutcome ProfileNames::search(std::string_view name, const Questions& questions,
                                         LookupReply* reply) {
  const KeepErrno keep;
  const auto alias = host_alias(name);
  const auto own = alias ? alias : dns::Name::from_text(name);
  if (!own) return plan::LookupOutcome::kNoRecovery;
  plan::Lookup lookup = lookup_of(*own, questions);
  if (!alias && !name.ends_with('.')) lookup.flags |= plan::kLookupSearches;
  apply_environment(&lookup);
  if (recall(lookup, reply)) return reply->outcome();
  if (EarlyQuestion* const question = early_.find(name.data())) {
    if (question->only_asks) {
      ask_early(lookup, question);
      return plan::LookupOutcome::kTryAgain;
    }
    if (take_early(lookup, question, reply)) return reply->outcome();
  }
  return ask(&lookup, reply);
}

// The broker looks up by the profile that the program has: the program must be known to it. One
// that was started meanwhile does not know the program yet.
plan::LookupOutcome ProfileNames::ask(plan::Lookup* lookup, LookupReply* reply) {
  using enum plan::LookupOutcome;
  std::int64_t deadline = 0;
  for (int i = 0; i < kMostHellos; ++i) {
    if (!session_.ensure_session()) return kTryAgain;
    session_.introduce_vfork_child();
    if (deadline == 0) deadline = monotonic_ms() + limit_of(*lookup) + kMarginMs;
    const auto before = era();
    const std::int64_t asked_at = clock_ms(CLOCK_BOOTTIME);
    if (request_(settings_, session_.second_socket(), *lookup, deadline, reply)) {
      // Of a program that has been moved meanwhile, it is not known whose answer it is.
      if (before && era() == before) recent_.remember(*before, *lookup, *reply, asked_at);
      return reply->outcome();
    }
    const auto plan = plan_.latest();
    if (!plan || session_.has_joined(*plan) || monotonic_ms() >= deadline) break;
  }
  return kTryAgain;
}

// To the broker a vfork child is another program, and it writes where its parent does.
std::optional<RecentAnswers::Era> ProfileNames::era() const {
  const std::uint64_t version = plan_.version();
  const auto plan = plan_.in_force();
  if (!plan || !session_.has_joined(*plan) || !session_.is_own_process()) return std::nullopt;
  const RecentAnswers::Era era{version, plan->epoch(), plan->broker_instance()};
  return plan_.version() == version ? std::optional(era) : std::nullopt;
}

// A broker that has stopped does not say what has changed.
bool ProfileNames::recall(const plan::Lookup& lookup, LookupReply* reply) {
  const auto now = era();
  if (!now || !plan_.latest()->broker_lives(static_cast<std::uint64_t>(monotonic_ms()))) {
    return false;
  }
  if (!recent_.find(*now, lookup, clock_ms(CLOCK_BOOTTIME), reply)) return false;
  session_.count_name();
  return true;
}

void ProfileNames::ask_early(const plan::Lookup& lookup, EarlyQuestion* question) {
  if (question->connection >= 0 || !session_.ensure_session()) return;
  session_.introduce_vfork_child();
  question->connection = begin_lookup(settings_, session_.second_socket(), lookup,
                                      monotonic_ms() + limit_of(lookup) + kMarginMs);
  std::copy(std::begin(lookup.types), std::end(lookup.types), question->types);
}

bool ProfileNames::take_early(const plan::Lookup& lookup, EarlyQuestion* question,
                              LookupReply* reply) {
  if (question->connection < 0 || !std::ranges::equal(lookup.types, question->types)) return false;
  const std::int64_t deadline = monotonic_ms() + limit_of(lookup) + kMarginMs;
  return finish_lookup(std::exchange(question->connection, -1), deadline, reply);
}

std::int64_t ProfileNames::limit_of(const plan::Lookup& lookup) const {
  plan::NameSettings settings = names();
  if (lookup.timeout_s != 0) settings.timeout_s = lookup.timeout_s;
  if (lookup.attempts != 0) settings.attempts = lookup.attempts;
  return plan::lookup_limit_ms(settings);
}

}  // namespace px::shim
