// SPDX-License-Identifier: MIT
#include "broker/names/cache.h"

#include <algorithm>
#include <limits>

#include "dns/packet.h"

namespace px::broker {
namespace {

using std::chrono::seconds;

constexpr std::uint32_t kDay = 24 * 3600;
constexpr std::uint32_t kLongestNegative = 3600;
// Of an entry, besides its bytes.
constexpr std::size_t kOverhead = 256;

std::uint32_t number_at(std::span<const std::byte> bytes, std::size_t at) {
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    number = number << 8 | std::to_integer<std::uint32_t>(bytes[at + i]);
  }
  return number;
}

// RFC 2308, 5: the shorter of the SOA record's own time and its last number.
std::uint32_t negative_lifetime(const dns::Record& soa) {
  if (soa.data.size() < 4) return 0;
  return std::min({soa.ttl, number_at(soa.data, soa.data.size() - 4), kLongestNegative});
}

}  // namespace

std::uint32_t lifetime_of(std::span<const std::byte> reply) {
  const auto header = dns::header_of(reply);
  if (!header || !header->is_reply || header->truncated) return 0;
  const bool exists = header->rcode == dns::kNoError;
  if (!exists && header->rcode != dns::kNoSuchName) return 0;
  const bool positive = exists && header->answers != 0;
  std::uint32_t shortest = std::numeric_limits<std::uint32_t>::max();
  std::uint32_t negative = 0;
  dns::Records records(reply);
  while (const auto record = records.next_of_all()) {
    if (record->section == dns::Section::kAnswer) shortest = std::min(shortest, record->ttl);
    const bool soa = record->section == dns::Section::kAuthority && record->type == dns::kSoa;
    if (soa) negative = negative_lifetime(*record);
  }
  if (records.is_broken()) return 0;
  if (positive) return std::min(shortest, kDay);
  // A chain of aliases that leads nowhere lives no longer than its links.
  return std::min(shortest, negative);
}

Channel::Reply aged(Channel::Reply reply, std::uint32_t age) {
  dns::age(reply, age);
  return reply;
}

void Cache::drop(Entries::iterator entry) {
  const auto user = users_.find(entry->second.user);
  user->second.uses.erase(entry->second.use);
  user->second.bytes -= entry->second.bytes;
  bytes_ -= entry->second.bytes;
  if (user->second.uses.empty()) users_.erase(user);
  entries_.erase(entry);
}

std::optional<Cache::Kept> Cache::find(const Key& key) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return std::nullopt;
  Entry& entry = found->second;
  const auto now = now_();
  if (now >= entry.until) {
    drop(found);
    return std::nullopt;
  }
  auto& uses = users_.at(entry.user).uses;
  uses.splice(uses.end(), uses, entry.use);
  const auto age = std::chrono::duration_cast<seconds>(now - entry.since);
  const auto left = std::chrono::duration_cast<seconds>(entry.until - now);
  return Kept{aged(entry.reply, static_cast<std::uint32_t>(age.count())),
              static_cast<std::uint32_t>(left.count())};
}

// The user's own answers make room first, and then those of whoever has the most.
bool Cache::make_room(uid_t user, std::size_t bytes) {
  if (bytes > std::min(limits_.bytes, limits_.bytes_per_user)) return false;
  const auto own = [&] {
    const auto found = users_.find(user);
    return found == users_.end() ? 0 : found->second.bytes;
  };
  while (own() + bytes > limits_.bytes_per_user) {
    drop(entries_.find(users_.at(user).uses.front()));
  }
  while (bytes_ + bytes > limits_.bytes) {
    const auto most =
        std::ranges::max_element(users_, {}, [](const auto& each) { return each.second.bytes; });
    drop(entries_.find(most->second.uses.front()));
  }
  return true;
}

std::uint32_t Cache::keep(const Key& key, uid_t user, const Channel::Reply& reply) {
  const std::uint32_t lifetime = lifetime_of(reply);
  if (lifetime == 0) return 0;
  if (const auto old = entries_.find(key); old != entries_.end()) drop(old);
  const std::size_t bytes = reply.size() + key.servers.size() + 2 * key.question.size() + kOverhead;
  if (!make_room(user, bytes)) return lifetime;
  User& of_user = users_[user];
  of_user.bytes += bytes;
  bytes_ += bytes;
  const auto now = now_();
  const auto use = of_user.uses.insert(of_user.uses.end(), key);
  entries_.emplace(key, Entry{reply, user, bytes, now, now + seconds(lifetime), use});
  return lifetime;
}

void Cache::keep_only(const std::function<bool(const std::string& servers)>& is_asked) {
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const auto next = std::next(entry);
    if (!is_asked(entry->first.servers)) drop(entry);
    entry = next;
  }
}

void Cache::visit(std::optional<uid_t> user,
                  const std::function<void(const Key&, const Channel::Reply&)>& visitor) const {
  const auto now = now_();
  for (const auto& [key, entry] : entries_) {
    if (user && entry.user != *user) continue;
    if (now < entry.until) visitor(key, entry.reply);
  }
}

}  // namespace px::broker
