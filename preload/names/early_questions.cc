// SPDX-License-Identifier: MIT
#include "preload/names/early_questions.h"

#include "preload/process/system_calls.h"
#include "preload/session/broker_connection.h"

namespace px::shim {

EarlyQuestion* EarlyQuestions::claim(std::string_view name) {
  if (name.size() >= EarlyQuestion::kNameSize) return nullptr;
  for (EarlyQuestion& question : all_) {
    if (question.taken.exchange(true, std::memory_order_acquire)) continue;
    question.only_asks = false;
    question.connection = -1;
    name.copy(question.name, name.size());
    question.name[name.size()] = '\0';
    return &question;
  }
  return nullptr;
}

void EarlyQuestions::release(EarlyQuestion* question) {
  const KeepErrno keep;
  close_fd(question->connection);
  question->connection = -1;
  question->taken.store(false, std::memory_order_release);
}

EarlyQuestion* EarlyQuestions::find(const char* name) {
  const auto place = reinterpret_cast<std::uintptr_t>(name);
  for (EarlyQuestion& question : all_) {
    if (place == reinterpret_cast<std::uintptr_t>(question.name)) return &question;
  }
  return nullptr;
}

}  // namespace px::shim
