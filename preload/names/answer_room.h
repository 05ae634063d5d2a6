// SPDX-License-Identifier: MIT
// The room that libc gives a service for its answer, taken piece by piece. No heap; used by one
// call at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace px::shim {

class AnswerRoom {
 public:
  AnswerRoom(char* room, std::size_t size) : next_(room), left_(size) {}

  // `count` elements, all zero bytes; null where there is no room for them.
  template <typename Element>
  [[nodiscard]] Element* take(std::size_t count = 1) {
    const std::size_t padding = -reinterpret_cast<std::uintptr_t>(next_) % alignof(Element);
    if (left_ < padding || (left_ - padding) / sizeof(Element) < count) return nullptr;
    char* taken = next_ + padding;
    next_ = taken + count * sizeof(Element);
    left_ -= padding + count * sizeof(Element);
    std::memset(taken, 0, count * sizeof(Element));
    return reinterpret_cast<Element*>(taken);
  }
  // A copy with a NUL behind it.
  [[nodiscard]] char* keep(std::string_view text) {
    char* copy = take<char>(text.size() + 1);
    if (copy != nullptr) text.copy(copy, text.size());
    return copy;
  }

 private:
  char* next_;
  std::size_t left_;
};

}  // namespace px::shim
