// SPDX-License-Identifier: MIT
// What a program is told where a descriptor process has not done what its request asked for. Pure.
#pragma once

#include <optional>

#include "broker/descriptors/task.h"
#include "broker/sessions/answer.h"
#include "util/error.h"

namespace px::broker {

// Nothing where it has been done.
[[nodiscard]] std::optional<Answer> answer_unless_done(const Expected<const Result*>& result,
                                                       plan::RefusalCode code);

}  // namespace px::broker
