// SPDX-License-Identifier: MIT
// Questions of one lookup that are all asked before the first answer is waited for: libc asks for
// one name after another. A name to be asked early stands in a place of its own here, and libc is
// given that place: so the service px knows such a name by where it is. A fixed table; what a
// thread leaves behind that never comes back (siglongjmp) stays taken. One static instance;
// lock-free, any thread. Changes no errno.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "plan/name_wire.h"

namespace px::shim {

// One name, of the thread that has claimed it.
struct EarlyQuestion {
  static constexpr std::size_t kNameSize = 256;  // with its NUL

  std::atomic<bool> taken{false};
  bool only_asks = false;  // no answer is to be waited for now
  int connection = -1;     // to the broker, which has been asked; -1: it has not
  std::uint16_t types[plan::kLookupQuestions] = {};  // what it has been asked
  char name[kNameSize] = {};
};

class EarlyQuestions {
 public:
  // Null where the name is too long, or all places are taken.
  [[nodiscard]] EarlyQuestion* claim(std::string_view name);
  // Closes its connection.
  static void release(EarlyQuestion* question);
  // The question whose name this is, by its place; null for any other text.
  [[nodiscard]] EarlyQuestion* find(const char* name);

 private:
  std::array<EarlyQuestion, 32> all_{};
};

}  // namespace px::shim
