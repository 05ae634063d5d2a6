// SPDX-License-Identifier: MIT
// What waits for its turn, by user: each user's in their order, the users one after another. A user
// who asks for a thousand things delays another by one. A value.
#pragma once

#include <sys/types.h>

#include <deque>
#include <map>
#include <utility>

namespace px::broker {

template <typename Item>
class RoundRobin {
 public:
  void add(uid_t user, Item item) {
    std::deque<Item>& waiting = waiting_[user];
    if (waiting.empty()) order_.push_back(user);
    waiting.push_back(std::move(item));
  }

  [[nodiscard]] bool empty() const { return order_.empty(); }

  // The next one. Not where it is empty().
  [[nodiscard]] Item take() {
    const auto of_user = waiting_.find(order_.front());
    order_.pop_front();
    Item item = std::move(of_user->second.front());
    of_user->second.pop_front();
    if (of_user->second.empty()) {
      waiting_.erase(of_user);
    } else {
      order_.push_back(of_user->first);
    }
    return item;
  }

 private:
  std::map<uid_t, std::deque<Item>> waiting_;
  std::deque<uid_t> order_;  // users of whom something waits, each once
};

}  // namespace px::broker
