// SPDX-License-Identifier: MIT
#include "plan/plan.h"

#include <algorithm>
#include <iterator>

namespace px::plan {
namespace {

// A broker publishes at most every few milliseconds and a decision takes less than one: a reader
// that is overtaken this often reads something that is no broker's work.
constexpr int kMostAttempts = 1000;

bool lost(const FileHeader& file, std::uint64_t now_ms) {
  const std::uint64_t beat = file.heartbeat.load(std::memory_order_relaxed);
  return now_ms > beat && now_ms - beat > kHeartbeatLostMs;
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

Verdict Plan::decide(const Call& call, std::uint64_t now_ms) const {
  for (int attempt = 0; attempt < kMostAttempts; ++attempt) {
    const std::uint64_t published = header_->published.load(std::memory_order_acquire);
    if (published == 0) return plan::decide({}, call);
    const auto current = half(published);
    const auto on_loss = reinterpret_cast<const PlanHeader*>(current.data())->on_loss;
    Verdict verdict = plan::decide(current, call);
    std::atomic_thread_fence(std::memory_order_acquire);
    if (header_->writing.load(std::memory_order_relaxed) >= published + 2) continue;
    const bool decided_by_rule = verdict.rule != kNoRuleIndex;
    if (decided_by_rule && on_loss != OnLoss::kLastKnown && lost(*header_, now_ms)) {
      verdict.action = on_loss == OnLoss::kSystem ? Action::kSystem : Action::kFail;
      verdict.reason = Reason::kBrokerLost;
    }
    return verdict;
  }
  return {Action::kFail, Reason::kNoPlan};
}

bool Plan::needs_time() const {
  const auto current = half(generation());
  return reinterpret_cast<const PlanHeader*>(current.data())->on_loss != OnLoss::kLastKnown;
}

bool Plan::has_rules() const {
  const auto current = half(generation());
  const auto& header = *reinterpret_cast<const PlanHeader*>(current.data());
  return generation() == 0 || header.removed != 0 || header.nodes.count != 0;
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
