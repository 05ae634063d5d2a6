// SPDX-License-Identifier: MIT
// One policy file: its bytes, and its sections, read into a draft. References to names that other
// files may define are left to finish(). Holds nothing; not for concurrent use on one draft.
// Reading a file can block where the file is a pipe.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "broker/config/draft.h"
#include "broker/config/value_reader.h"
#include "util/error.h"

namespace px::broker {

enum class FileRole {
  kMain,
  kPart
};  // a part stands in conf.d; it needs no version, and may be empty

void read_policy_text(std::string_view text, const std::string& file, FileRole role, Draft& draft);

// Complains unless it is the version that this px reads.
void read_version(const Value& value, Report& report);

// All of a file, but no more of it than shows that it is larger than a policy can be.
[[nodiscard]] Expected<std::string> read_file(const std::filesystem::path& file);

}  // namespace px::broker
