// SPDX-License-Identifier: MIT
// Who may be connected, and how much may be kept for whom. Pure bookkeeping: a user has a quota;
// the last places are for users who have none; when all are taken, a connection that has not said
// anything yet goes, of the user who has the most of them. Owned by the server; places may outlive
// it. Single-threaded.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <list>
#include <map>
#include <memory>

namespace px::broker {

// The user against whose quotas another one counts (broker/identity/subordinate_ids.h).
using CountedAs = std::function<uid_t(uid_t user)>;
inline uid_t counted_as_itself(uid_t user) {
  return user;
}

class Places {
 public:
  struct Limits {
    std::size_t per_user;
    std::size_t in_all;
    // What is kept for a user's connections: messages that have not been answered, answers and
    // events that have not been read.
    std::size_t bytes_per_user = std::size_t{16} << 20;
  };
  class Place;

  explicit Places(Limits limits);

  // A connection's place, given back when it is destroyed; null where there is none for the user.
  // The place is silent until it spoke(); as long as it is, it may be taken away: then `taken` is
  // called, once, and it counts no more.
  [[nodiscard]] std::unique_ptr<Place> take(uid_t user, bool administrator,
                                            std::function<void()> taken);

  [[nodiscard]] std::size_t count() const;
  [[nodiscard]] const Limits& limits() const;

 private:
  struct User {
    std::size_t open = 0;
    std::size_t bytes = 0;
    std::list<Place*> silent;  // the oldest first
  };
  struct Books {
    Limits limits;
    std::size_t open = 0;
    std::map<uid_t, User> users;

    [[nodiscard]] bool has_room_for(uid_t user, bool administrator);
    [[nodiscard]] Place* silent_of_another(uid_t user);
    void close(uid_t user);
  };

  std::shared_ptr<Books> books_;
};

class Places::Place {
 public:
  ~Place();
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  void spoke();
  // Counts so many bytes more; false, and nothing is counted, where that would be too many.
  [[nodiscard]] bool keep(std::size_t bytes);
  void let_go(std::size_t bytes);

 private:
  friend class Places;
  Place(std::shared_ptr<Books> books, uid_t user, std::function<void()> taken);
  void take_away();

  std::shared_ptr<Books> books_;
  uid_t user_;
  std::function<void()> taken_;  // none: it has spoken, or it is gone
  std::list<Place*>::iterator silent_;
  std::size_t kept_ = 0;
  bool gone_ = false;
};

}  // namespace px::broker
