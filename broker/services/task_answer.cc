// SPDX-License-Identifier: MIT
#include "broker/services/task_answer.h"

#include <string>

namespace px::broker {

std::optional<Answer> answer_unless_done(const Expected<const Result*>& result,
                                         plan::RefusalCode code) {
  if (!result) return refusal({code, result.error().message});
  switch ((*result)->kind) {
    case Result::Kind::kMalformed:
      return no_answer();
    case Result::Kind::kFailed:
      return refusal({code, std::string((*result)->text_view())});
    case Result::Kind::kDone:
      break;
  }
  return std::nullopt;
}

}  // namespace px::broker
