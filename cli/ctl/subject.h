// SPDX-License-Identifier: MIT
// The program that `pxctl explain` is asked about: by name, path or pid. Reads /proc and the
// program file; no state.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "cli/ctl/table.h"
#include "util/error.h"

namespace px::cli {

struct Subject {
  std::string named;            // as the user wrote it
  std::optional<int> pid;       // of a running program
  std::string file;             // absolute; empty: not known
  std::optional<bool> covered;  // absent: cannot be told
  std::string why;              // why not, or why it cannot be told; empty when covered
  // Of a running program: then libpx.so shares with no forked process what bundles are looked up.
  bool has_capabilities = false;
};

// An error for the pid of no process. The name of no program is no error: the policy has an answer
// for it all the same.
[[nodiscard]] Expected<Subject> find_subject(const std::string& named);

// {"file": FILE or null, "covered": true, false or null, "why": TEXT or null}
[[nodiscard]] nlohmann::json coverage_report(const Subject& subject);
[[nodiscard]] std::string coverage_text(const Subject& subject, const Terminal& terminal);

}  // namespace px::cli
