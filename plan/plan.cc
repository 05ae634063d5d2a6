// SPDX-License-Identifier: MIT
#include "plan/plan.h"

#include <algorithm>
#include <iterator>

namespace px::plan {
namespace {

// A broker publishes at most every few milliseconds, and a decision takes less than one. A reader
// that is overtaken this often does not read a broker's plan.
constexpr int kMostAttempts = 1000;

bool lost(const FileHeader& file, std::uint64_t now_ms, std::uint64_t lost_after_ms) {
  const std::uint64_t beat = file.heartbeat.load(std::memory_order_relaxed);
  return now_ms > beat && now_ms - beat > lost_after_ms;
}

const PlanHeader& header_of(std::span<const std::byte> half) {
  return *reinterpret_cast<const PlanHeader*>(half.data());
}

}  // namespace

std::optional<Plan> Plan::from_mapping(const void* base, std::size_t size) {
  if (base == nullptr || size < kFileSize) return std::nullopt;
  const auto* header = static_cast<const FileHeader*>(base);
  if (header->magic != kMagic || header->layout_version != kLayoutVersion) return std::nullopt;
  return Plan(header);
}

std::span<const std::byte> Plan::half(std::uint64_t generation) const {
  const auto* bytes = reinterpret_cast<const std::byte*>(header_);
  return {bytes + kHeaderSize + (generation % 2) * kHalfSize, kHalfSize};
}

template <typename Read>
auto Plan::read_whole(Read read) const
    -> std::optional<decltype(read(std::span<const std::byte>()))> {
  for (int attempt = 0; attempt < kMostAttempts; ++attempt) {
    const std::uint64_t published = header_->published.load(std::memory_order_acquire);
    if (published == 0) return std::nullopt;
    const auto value = read(half(published));
    std::atomic_thread_fence(std::memory_order_acquire);
    if (header_->writing.load(std::memory_order_relaxed) < published + 2) return value;
  }
  return std::nullopt;
}

Verdict Plan::decide(const Call& call, std::uint64_t now_ms) const {
  if (generation() == 0) return plan::decide({}, call);
  struct Decided {
    Verdict verdict;
    OnLoss on_loss;
  };
  const auto decided = read_whole([&](std::span<const std::byte> current) {
    return Decided{plan::decide(current, call), header_of(current).on_loss};
  });
  if (!decided) return {Action::kFail, Reason::kNoPlan};
  Verdict verdict = decided->verdict;
  const bool decided_by_rule =
      verdict.rule != kNoRuleIndex || verdict.reason == Reason::kNameServer;
  if (decided_by_rule && decided->on_loss != OnLoss::kLastKnown &&
      lost(*header_, now_ms, kHeartbeatLostMs)) {
    verdict.action = decided->on_loss == OnLoss::kSystem ? Action::kSystem : Action::kFail;
    verdict.reason = Reason::kBrokerLost;
  }
  return verdict;
}

Redirection Plan::redirect(const Call& call, bool ipv4_only, std::uint64_t now_ms) const {
  struct Redirected {
    Redirection redirection;
    OnLoss on_loss;
  };
  const auto found = read_whole([&](std::span<const std::byte> current) {
    return Redirected{plan::redirect(current, call, ipv4_only), header_of(current).on_loss};
  });
  if (!found) return {};
  const bool is_lost =
      found->on_loss != OnLoss::kLastKnown && lost(*header_, now_ms, kHeartbeatLostMs);
  if (!is_lost || !found->redirection.applies) return found->redirection;
  return {.applies = found->on_loss != OnLoss::kSystem, .server = std::nullopt};
}

std::size_t Plan::name_servers(std::span<bundle::Endpoint> room) const {
  return read_whole(
             [&](std::span<const std::byte> current) { return plan::name_servers(current, room); })
      .value_or(0);
}

std::optional<Entry> Plan::listen_entry(const Call& call) const {
  const auto entry = read_whole(
      [&](std::span<const std::byte> current) { return plan::listen_entry(current, call); });
  return entry ? *entry : std::nullopt;
}

std::optional<Entry> Plan::entry_with(const Address& source, std::uint32_t mark) const {
  const auto entry = read_whole(
      [&](std::span<const std::byte> current) { return plan::entry_with(current, source, mark); });
  return entry ? *entry : std::nullopt;
}

bool Plan::has_entry_of(Family family) const {
  return read_whole([family](std::span<const std::byte> current) {
           return plan::has_entry_of(current, family);
         })
      .value_or(false);
}

ListenMode Plan::listen_mode() const {
  const ListenMode mode = read_whole([](std::span<const std::byte> current) {
                            return header_of(current).listen;
                          }).value_or(ListenMode::kSystem);
  return mode <= ListenMode::kReceivedSource ? mode : ListenMode::kSystem;
}

std::uint32_t Plan::listen_mark() const {
  return read_whole(
             [](std::span<const std::byte> current) { return header_of(current).listen_mark; })
      .value_or(0);
}

std::uint32_t Plan::mark_mask() const {
  return read_whole([](std::span<const std::byte> current) { return header_of(current).mark_mask; })
      .value_or(0);
}

BundleSettings Plan::bundle_settings() const {
  return read_whole(
             [](std::span<const std::byte> current) { return plan::bundle_settings(current); })
      .value_or(BundleSettings{});
}

std::optional<BundleNotation> Plan::bundle_named(std::string_view name) const {
  const auto notation = read_whole(
      [&](std::span<const std::byte> current) { return plan::bundle_named(current, name); });
  return notation ? *notation : std::nullopt;
}

NameSettings Plan::names() const {
  return read_whole([](std::span<const std::byte> current) {
           return valid_name_settings(header_of(current).names);
         })
      .value_or(kNoNameServers);
}

bundle::Health Plan::health(const HealthKey& key, std::uint64_t now_ms) const {
  return plan::health(header_->health, key, now_ms);
}

std::uint16_t Plan::round_trip_ms(const HealthKey& key, std::uint64_t now_ms) const {
  return plan::round_trip_ms(header_->health, key, now_ms);
}

std::uint64_t Plan::epoch() const {
  return header_->health.epoch.load(std::memory_order_acquire);
}

bool Plan::broker_lives(std::uint64_t now_ms, std::uint64_t lost_after_ms) const {
  return !lost(*header_, now_ms, lost_after_ms);
}

bool Plan::needs_time() const {
  return header_of(half(generation())).on_loss != OnLoss::kLastKnown;
}

bool Plan::decides() const {
  const PlanHeader& header = header_of(half(generation()));
  return generation() == 0 || header.removed != 0 || header.nodes.count != 0 ||
         header.name_servers.count != 0 || header.redirected.count != 0;
}

bool Plan::redirects() const {
  return generation() != 0 && header_of(half(generation())).redirected.count != 0;
}

bool Plan::has_name_rules() const {
  return generation() != 0 && header_of(half(generation())).name_nodes.count != 0;
}

bool Plan::matching() const {
  const auto current = half(generation());
  return reinterpret_cast<const PlanHeader*>(current.data())->matching != 0;
}

std::uint32_t Plan::recheck() const {
  return static_cast<std::uint32_t>(header_->recheck.load(std::memory_order_acquire));
}

std::string_view Plan::profile() const {
  const auto* end = std::find(std::begin(header_->profile), std::end(header_->profile), '\0');
  if (end == std::end(header_->profile)) return {};
  return {header_->profile, static_cast<std::size_t>(end - header_->profile)};
}

std::uint64_t Plan::generation() const {
  return header_->published.load(std::memory_order_acquire);
}

std::uint64_t Plan::broker_instance() const {
  return header_->broker_instance.load(std::memory_order_relaxed);
}

}  // namespace px::plan
