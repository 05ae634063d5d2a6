// SPDX-License-Identifier: MIT
// Whether a plan explains that a flow leaves by its interface. The broker is asked, which decides
// by the plan in force and the function that programs decide with. For one thread.
#pragma once

#include <sys/types.h>

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "audit/abi.h"
#include "cli/client.h"
#include "util/error.h"

namespace px::cli {

enum class Explanation {
  kExplained,
  kAnswer,          // of a connection that came in: rules are for those that go out
  kElsewhere,       // another network namespace: its interfaces are not the plan's
  kOtherInterface,  // a rule sends it by another interface
  kRefused,         // a rule says block
  kUnavailable,     // the rule's paths cannot be used, so that the call should have failed
  kNameLookup,      // libc's resolver, under a profile without `dns`
};

struct Judgement {
  Explanation explanation = Explanation::kExplained;
  std::string why;  // for people, where no rule explains it

  [[nodiscard]] bool is_finding() const { return explanation > Explanation::kElsewhere; }
};

// As `--json` has it: "explained", "other-interface"...
[[nodiscard]] const char* word_for(Explanation explanation);

class Judge {
 public:
  explicit Judge(Client client) : client_(std::move(client)) {}

  [[nodiscard]] Expected<Judgement> judge(const px_audit_flow& flow, const std::string& interface,
                                          const std::string& profile);

  // The profile of a process: that of its session or, without one, that a `match` gives it. Nothing
  // for others.
  [[nodiscard]] Expected<std::optional<std::string>> profile_of(pid_t pid);

  [[nodiscard]] Client& client() { return client_; }

 private:
  [[nodiscard]] Expected<nlohmann::json> ask(const nlohmann::json& request);
  [[nodiscard]] Expected<bool> is_explained_by_name(nlohmann::json request,
                                                    const nlohmann::json& answer,
                                                    const std::string& interface);

  Client client_;
};

}  // namespace px::cli
