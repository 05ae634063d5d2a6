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
constexpr std::size_t kMostSources = 127;

bool same(const bundle::Endpoint& a, const bundle::Endpoint& b) {
  return a.address == b.address && a.scope == b.scope;
}

bool is(const bundle::Endpoint& member, const MptcpPeer& peer) {
  const bool elsewhere = member.scope != 0 && peer.interface_index != 0 &&
                         peer.interface_index != member.scope && member.address.is_scoped();
  return member.address == peer.address && !elsewhere;
}

}  // namespace

void MptcpConnections::want(MptcpToken token, SubflowWish wish,
                            const std::optional<MptcpPeer>& peer, std::uint64_t now) {
  std::erase_if(connections_,
                [&](const auto& one) { return one.second.expires && *one.second.expires <= now; });
  if (connections_.contains(token)) return;
  make_room(wish.user);
  Connection connection;
  for (const bundle::Endpoint& member : wish.members) {
    const bool known = std::ranges::any_of(
        connection.subflows, [&](const Subflow& each) { return same(each.member, member); });
    if (!known) connection.subflows.push_back({member});
  }
  connection.wish = std::move(wish);
  connection.age = next_age_++;
  if (!peer) connection.expires = now + kExpiresMs;
  connections_.emplace(token, std::move(connection));
  if (peer) created(token, *peer, now);
}

void MptcpConnections::make_room(uid_t user) {
  std::map<uid_t, std::size_t> counts;
  for (const auto& [token, connection] : connections_) ++counts[connection.wish.user];
  if (counts[user] >= limits_.per_user) {
    let_oldest_go(user);
  } else if (connections_.size() >= limits_.in_all) {
    const auto most =
        std::ranges::max_element(counts, {}, [](const auto& count) { return count.second; });
    let_oldest_go(most->first);
  }
}

void MptcpConnections::let_oldest_go(uid_t user) {
  auto oldest = connections_.end();
  for (auto one = connections_.begin(); one != connections_.end(); ++one) {
    if (one->second.wish.user != user) continue;
    if (oldest == connections_.end() || one->second.age < oldest->second.age) oldest = one;
  }
  if (oldest != connections_.end()) connections_.erase(oldest);
}

void MptcpConnections::created(MptcpToken token, const MptcpPeer& peer, std::uint64_t now) {
  const auto found = connections_.find(token);
  if (found == connections_.end()) return;
  found->second.expires.reset();
  for (Subflow& subflow : found->second.subflows) {
    if (is(subflow.member, peer)) {
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

void MptcpConnections::subflow_up(MptcpToken token, const MptcpPeer& peer) {
  if (Subflow* subflow = find(token, peer)) {
    subflow->state = State::kUp;
    subflow->failures = 0;
  }
}

void MptcpConnections::subflow_down(MptcpToken token, const MptcpPeer& peer, std::uint64_t now) {
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

void MptcpConnections::plans_changed(std::uint64_t now) {
  for (auto& [token, connection] : connections_) {
    for (Subflow& subflow : connection.subflows) {
      if (subflow.state != State::kDue && subflow.state != State::kGivenUp) continue;
      subflow = {subflow.member, State::kDue, 0, now};
    }
  }
}

std::vector<DueSubflow> MptcpConnections::due(std::uint64_t now) {
  std::vector<DueSubflow> all;
  for (auto& [token, connection] : connections_) {
    for (Subflow& subflow : connection.subflows) {
      if (subflow.state != State::kDue || subflow.due > now) continue;
      subflow.state = State::kTrying;
      all.push_back({token, connection.wish.profile, connection.wish.mark, subflow.member});
    }
  }
  return all;
}

void MptcpConnections::answered(const DueSubflow& due, int error, std::uint64_t now) {
  Subflow* subflow = find(due);
  if (subflow == nullptr || error == 0) return;
  if (error == ENOTCONN) {
    subflow->state = State::kWaiting;  // for the peer's first acknowledgement
  } else if (error == EINVAL) {
    connections_.erase(due.token);  // it is gone, or the kernel's own path manager has it
  } else {
    fail(*subflow, now);
  }
}

void MptcpConnections::has_no_egress(const DueSubflow& due) {
  if (Subflow* subflow = find(due)) subflow->state = State::kGivenUp;
}

std::uint8_t MptcpConnections::local_id(MptcpToken token, const bundle::Address& source) {
  const auto found = connections_.find(token);
  if (found == connections_.end()) return kFirstLocalId;
  auto& sources = found->second.sources;
  auto at = std::ranges::find(sources, source);
  if (at == sources.end()) {
    // One that has had so many no longer has the first.
    if (sources.size() >= kMostSources) sources.clear();
    at = sources.insert(sources.end(), source);
  }
  return static_cast<std::uint8_t>(kFirstLocalId + static_cast<std::size_t>(at - sources.begin()));
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

MptcpConnections::Subflow* MptcpConnections::find(MptcpToken token, const MptcpPeer& peer) {
  const auto found = connections_.find(token);
  if (found == connections_.end()) return nullptr;
  auto& subflows = found->second.subflows;
  const auto one = std::ranges::find_if(
      subflows, [&](const Subflow& subflow) { return is(subflow.member, peer); });
  return one == subflows.end() ? nullptr : &*one;
}

MptcpConnections::Subflow* MptcpConnections::find(const DueSubflow& due) {
  return find(due.token, {due.member.address, due.member.scope});
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

}  // namespace px::broker
