// SPDX-License-Identifier: MIT
// What servers have answered, for as long as they said: for all programs whose profile asks the
// same servers by the same egresses. Records live as long as the shortest of their times; that a
// name or its records are not there, as long as the zone's SOA record says (RFC 2308). Nothing is
// kept of failures, nor what the reply does not say a time for. Bounded in bytes, in all and by the
// user whose lookup brought it; the answer that was used longest ago makes room.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <string>

#include "broker/names/channel.h"
#include "util/clock.h"

namespace px::broker {

// How long the reply may be kept, in seconds; 0: not at all. A reply to another question than its
// own header says, or one that is truncated or broken, is not.
[[nodiscard]] std::uint32_t lifetime_of(std::span<const std::byte> reply);
// The reply with each record's time less by so many seconds, as a cache hands it on.
[[nodiscard]] Channel::Reply aged(Channel::Reply reply, std::uint32_t seconds);

class Cache {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Clock = std::function<Time()>;
  // By CLOCK_BOOTTIME: while the host sleeps, answers age.
  static Time now() { return Time(std::chrono::milliseconds(boottime_ms())); }
  struct Limits {
    std::size_t bytes = std::size_t{8} << 20;
    std::size_t bytes_per_user = std::size_t{2} << 20;
  };
  struct Key {
    std::string question;  // name in lower case, type, class and flags
    std::string servers;   // which, and by what egresses

    friend auto operator<=>(const Key&, const Key&) = default;
  };

  explicit Cache(Limits limits, Clock now = &Cache::now) : limits_(limits), now_(std::move(now)) {}

  // With the times that are left.
  struct Kept {
    Channel::Reply reply;
    std::uint32_t left = 0;  // seconds that it is good for
  };
  [[nodiscard]] std::optional<Kept> find(const Key& key);
  // Returns how long the reply is good for, in seconds.
  std::uint32_t keep(const Key& key, uid_t user, const Channel::Reply& reply);
  // All that is not of one of these servers any more.
  void keep_only(const std::function<bool(const std::string& servers)>& is_asked);

  // Each reply that is still good, with the times that it came with: those that programs of this
  // user asked for, or without one of all users.
  void visit(std::optional<uid_t> user,
             const std::function<void(const Key&, const Channel::Reply&)>& visitor) const;

  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  struct Entry {
    Channel::Reply reply;
    uid_t user;
    std::size_t bytes;
    std::chrono::steady_clock::time_point since;
    std::chrono::steady_clock::time_point until;
    std::list<Key>::iterator use;
  };
  using Entries = std::map<Key, Entry>;
  struct User {
    std::size_t bytes = 0;
    std::list<Key> uses;  // the one that was used longest ago first
  };
  void drop(Entries::iterator entry);
  // False where it would be more than there ever is.
  [[nodiscard]] bool make_room(uid_t user, std::size_t bytes);

  Limits limits_;
  Clock now_;
  Entries entries_;
  std::map<uid_t, User> users_;
  std::size_t bytes_ = 0;
};

}  // namespace px::broker
