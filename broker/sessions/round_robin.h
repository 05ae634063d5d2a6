// SPDX-License-Identifier: MIT
// What waits for its turn, by user: each user's in their order, the users one after another. A user
// who asks for a thousand things delays another by one. A value.
#pragma once

#include <sys/types.h>

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
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
  [[nodiscard]] Item take() { return take_of(order_.begin()); }

  // The next one of a user who may have a turn now; nothing where there is none.
  template <typename May>
  [[nodiscard]] std::optional<Item> take_if(May may) {
    const auto user = std::ranges::find_if(order_, may);
    if (user == order_.end()) return std::nullopt;
    return take_of(user);
  }

 private:
  Item take_of(std::deque<uid_t>::iterator user) {
    const auto of_user = waiting_.find(*user);
    order_.erase(user);
    Item item = std::move(of_user->second.front());
    of_user->second.pop_front();
    if (of_user->second.empty()) {
      waiting_.erase(of_user);
    } else {
      order_.push_back(of_user->first);
    }
    return item;
  }

  std::map<uid_t, std::deque<Item>> waiting_;
  std::deque<uid_t> order_;  // users of whom something waits, each once
};

}  // namespace px::broker
