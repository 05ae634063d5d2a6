// SPDX-License-Identifier: MIT
// What a request of `pxctl explain` asks: which call, of which program, under which profile. Reads
// /proc where the request names a process.
#pragma once

#include <sys/types.h>

#include <nlohmann/json_fwd.hpp>
#include <optional>

#include "broker/config/policy.h"
#include "broker/control/explain.h"
#include "util/error.h"

namespace px::broker {

class SessionTable;

// `owner`: whose programs the user may ask about; absent: everyone's. The error is for people;
// nlohmann::json::exception where a key has a value of the wrong type.
[[nodiscard]] Expected<Question> question_of(const nlohmann::json& request, uid_t user,
                                             std::optional<uid_t> owner, const Policy& policy,
                                             const SessionTable& sessions);

}  // namespace px::broker
