// SPDX-License-Identifier: MIT
// `pxctl resolve`: a lookup as a program under the profile has it, and who was asked. JSON
// (docs/protocol.md). Replies are told as they came: a server's bytes are read by pxctl, which has
// no privileges. Pure.
#pragma once

#include <chrono>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "broker/config/policy.h"
#include "broker/names/lookups.h"
#include "plan/name_wire.h"
#include "util/error.h"

namespace px::broker {

struct ResolveQuestion {
  std::string name;  // as it was asked
  std::string profile;
  plan::Lookup lookup;
};

// An error for people where the request names no profile with name servers, or no name.
[[nodiscard]] Expected<ResolveQuestion> resolve_question_of(const nlohmann::json& request,
                                                            const Policy& policy,
                                                            const Lookups& lookups);

[[nodiscard]] nlohmann::json resolve_report(const ResolveQuestion& question,
                                            const LookupResult& result,
                                            std::chrono::steady_clock::duration took);

}  // namespace px::broker
