// SPDX-License-Identifier: MIT
#include "broker/mptcp/connections.h"

#include <algorithm>
#include <cerrno>

namespace px::broker {
namespace {

// A SYN that nobody answers is given up by the kernel after about two minutes.
constexpr std::uint64_t kExpiresMs = 180'000;
constexpr std::uint64_t kFirstRetryMs = 1'000;
constexpr unsigned kMostFailures = 8;
// Far from the numbers that the kernel gives out by itself, from 1.
constexpr std::size_t kFirstLocalId = 128;

bool same_source(const MemberWay& a, const MemberWay& b) {
  if (!a.entry || !b.entry) {
    return !a.entry && !b.entry && a.member.address.is_ipv4() == b.member.address.is_ipv4();
  }
  return a.entry->source == b.entry->source && a.entry->interface_index == b.entry->interface_index;
}

}  // namespace

bool MptcpConnections::want(MptcpToken token, uid_t user, const std::vector<MemberWay>& ways,
                            const std::optional<bundle::Address>& peer, std::uint64_t now) {
  expire(now);
  connections_.erase(token);
  if (connections_.size() >= limits_.in_all || count_of(user) >= limits_.per_user) return false;
  Connection connection;
  connection.user = user;
  if (!peer) connection.expires = now + kExpiresMs;
  for (const MemberWay& way : ways) connection.subflows.push_back({way});
  connections_.emplace(token, std::move(connection));
  if (peer) created(token, *peer, now);
  return true;
}

void MptcpConnections::created(MptcpToken token, const bundle::Address& peer, std::uint64_t now) {
  const auto found = connections_.find(token);
  if (found == connections_.end()) return;
  found->second.expires.reset();
  for (Subflow& subflow : found->second.subflows) {
    if (subflow.way.member.address == peer) {
      subflow.state = State::kUp;
    } else if (subflow.state == State::kWaiting) {
      subflow.state = State::kDue;
      subflow.due = now;
    }
  }
}

void MptcpConnections::closed(MptcpToken token) {
  connections_.erase(token);
}

void MptcpConnections::subflow_up(MptcpToken token, const bundle::Address& peer) {
  if (Subflow* subflow = find(token, peer)) {
    subflow->state = State::kUp;
    subflow->failures = 0;
  }
}

void MptcpConnections::subflow_down(MptcpToken token, const bundle::Address& peer,
                                    std::uint64_t now) {
  if (Subflow* subflow = find(token, peer)) fail(*subflow, now);
}

void MptcpConnections::missed_events(std::uint64_t now) {
  std::erase_if(connections_, [](const auto& one) {
    return std::ranges::all_of(one.second.subflows, [](const Subflow& subflow) {
      return subflow.state == State::kUp || subflow.state == State::kGivenUp;
    });
  });
  for (auto& [token, connection] : connections_) {
    for (Subflow& subflow : connection.subflows) {
      if (subflow.state != State::kWaiting && subflow.state != State::kTrying) continue;
      subflow.state = State::kDue;
      subflow.due = now;
    }
  }
}

std::vector<SubflowAttempt> MptcpConnections::due(std::uint64_t now) {
  std::vector<SubflowAttempt> attempts;
  for (auto& [token, connection] : connections_) {
    auto& subflows = connection.subflows;
    for (Subflow& subflow : subflows) {
      if (subflow.state != State::kDue || subflow.due > now) continue;
      subflow.state = State::kTrying;
      const auto first = std::ranges::find_if(
          subflows, [&](const Subflow& other) { return same_source(other.way, subflow.way); });
      const auto id = kFirstLocalId + static_cast<std::size_t>(first - subflows.begin());
      attempts.push_back({token, subflow.way, static_cast<std::uint8_t>(id)});
    }
  }
  return attempts;
}

void MptcpConnections::answered(const SubflowAttempt& attempt, int error, std::uint64_t now) {
  Subflow* subflow = find(attempt.token, attempt.way.member.address);
  if (subflow == nullptr || error == 0) return;
  if (error == ENOTCONN) {
    subflow->state = State::kWaiting;  // for the peer's first acknowledgement
  } else if (error == EINVAL) {
    subflow->state = State::kGivenUp;  // the connection is gone, or no MPTCP's
  } else {
    fail(*subflow, now);
  }
}

std::optional<std::uint64_t> MptcpConnections::next_due() const {
  std::optional<std::uint64_t> next;
  for (const auto& [token, connection] : connections_) {
    for (const Subflow& subflow : connection.subflows) {
      if (subflow.state == State::kDue) next = std::min(next.value_or(subflow.due), subflow.due);
    }
  }
  return next;
}

MptcpConnections::Subflow* MptcpConnections::find(MptcpToken token, const bundle::Address& peer) {
  const auto found = connections_.find(token);
  if (found == connections_.end()) return nullptr;
  auto& subflows = found->second.subflows;
  const auto one = std::ranges::find_if(
      subflows, [&](const Subflow& subflow) { return subflow.way.member.address == peer; });
  return one == subflows.end() ? nullptr : &*one;
}

std::size_t MptcpConnections::count_of(uid_t user) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      connections_, [&](const auto& one) { return one.second.user == user; }));
}

void MptcpConnections::fail(Subflow& subflow, std::uint64_t now) {
  if (subflow.state == State::kUp) subflow.failures = 0;
  if (++subflow.failures > kMostFailures) {
    subflow.state = State::kGivenUp;
    return;
  }
  subflow.state = State::kDue;
  subflow.due = now + (kFirstRetryMs << (subflow.failures - 1));
}

void MptcpConnections::expire(std::uint64_t now) {
  std::erase_if(connections_,
                [&](const auto& one) { return one.second.expires && *one.second.expires <= now; });
}

}  // namespace px::broker
