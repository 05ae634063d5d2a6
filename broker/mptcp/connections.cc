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
  for (std::size_t i = 0; i < found->second.subflows.size(); ++i) {
    Subflow& subflow = found->second.subflows[i];
    if (is(subflow.member, peer)) {
      subflow.state = State::kUp;
    } else if (subflow.state == State::kWaiting) {
      set_due({token, i, &subflow}, now);
    }
  }
}

void MptcpConnections::closed(MptcpToken token) {
  connections_.erase(token);
}

void MptcpConnections::subflow_up(MptcpToken token, const MptcpPeer& peer) {
  if (Subflow* subflow = find(token, peer).subflow) {
    subflow->state = State::kUp;
    subflow->failures = 0;
  }
}

void MptcpConnections::subflow_down(MptcpToken token, const MptcpPeer& peer, std::uint64_t now) {
  if (const Found found = find(token, peer); found.subflow != nullptr) fail(found, now);
}

void MptcpConnections::missed_events(std::uint64_t now) {
  std::erase_if(connections_, [](const auto& one) {
    return std::ranges::all_of(one.second.subflows, [](const Subflow& subflow) {
      return subflow.state == State::kUp || subflow.state == State::kGivenUp;
    });
  });
  for (auto& [token, connection] : connections_) {
    for (std::size_t i = 0; i < connection.subflows.size(); ++i) {
      Subflow& subflow = connection.subflows[i];
      if (subflow.state != State::kWaiting && subflow.state != State::kTrying) continue;
      set_due({token, i, &subflow}, now);
    }
  }
}

void MptcpConnections::plans_changed(std::uint64_t now) {
  for (auto& [token, connection] : connections_) {
    for (std::size_t i = 0; i < connection.subflows.size(); ++i) {
      Subflow& subflow = connection.subflows[i];
      if (subflow.state != State::kDue && subflow.state != State::kGivenUp) continue;
      subflow.failures = 0;
      set_due({token, i, &subflow}, now);
    }
  }
}

std::vector<DueSubflow> MptcpConnections::due(std::uint64_t now, std::size_t most) {
  std::vector<DueSubflow> all;
  while (all.size() < most) {
    Subflow* subflow = earliest();
    if (subflow == nullptr || subflow->due > now) break;
    const MptcpToken token = queue_.begin()->token;
    const SubflowWish& wish = connections_.at(token).wish;
    subflow->state = State::kTrying;
    all.push_back({token, wish.profile, wish.mark, subflow->member});
  }
  return all;
}

void MptcpConnections::answered(const DueSubflow& due, int error, std::uint64_t now) {
  const Found found = find(due);
  if (found.subflow == nullptr || error == 0) return;
  if (error == ENOTCONN) {
    found.subflow->state = State::kWaiting;  // for the peer's first acknowledgement
  } else if (error == EINVAL) {
    connections_.erase(due.token);  // it is gone, or the kernel's own path manager has it
  } else {
    fail(found, now);
  }
}

void MptcpConnections::has_no_egress(const DueSubflow& due) {
  if (Subflow* subflow = find(due).subflow) subflow->state = State::kGivenUp;
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

std::optional<std::uint64_t> MptcpConnections::next_due() {
  const Subflow* subflow = earliest();
  return subflow == nullptr ? std::nullopt : std::optional(subflow->due);
}

MptcpConnections::Subflow* MptcpConnections::earliest() {
  for (; !queue_.empty(); queue_.erase(queue_.begin())) {
    const Due& first = *queue_.begin();
    const auto found = connections_.find(first.token);
    if (found == connections_.end() || first.index >= found->second.subflows.size()) continue;
    Subflow& subflow = found->second.subflows[first.index];
    if (subflow.state == State::kDue && subflow.due == first.at) return &subflow;
  }
  return nullptr;
}

void MptcpConnections::set_due(const Found& found, std::uint64_t at) {
  found.subflow->state = State::kDue;
  found.subflow->due = at;
  queue_.insert({at, found.token, found.index});
}

MptcpConnections::Found MptcpConnections::find(MptcpToken token, const MptcpPeer& peer) {
  const auto found = connections_.find(token);
  if (found == connections_.end()) return {token, 0, nullptr};
  auto& subflows = found->second.subflows;
  const auto one = std::ranges::find_if(
      subflows, [&](const Subflow& subflow) { return is(subflow.member, peer); });
  if (one == subflows.end()) return {token, 0, nullptr};
  return {token, static_cast<std::size_t>(one - subflows.begin()), &*one};
}

MptcpConnections::Found MptcpConnections::find(const DueSubflow& due) {
  return find(due.token, {due.member.address, due.member.scope});
}

void MptcpConnections::fail(const Found& found, std::uint64_t now) {
  Subflow& subflow = *found.subflow;
  if (subflow.state == State::kUp) subflow.failures = 0;
  if (++subflow.failures > kMostFailures) {
    subflow.state = State::kGivenUp;
    return;
  }
  set_due(found, now + (kFirstRetryMs << (subflow.failures - 1)));
}

}  // namespace px::broker
