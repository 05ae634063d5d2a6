// SPDX-License-Identifier: MIT
// The one line on stderr that says why a program's calls fail. Never blocks, raises no SIGPIPE, no
// stdio; callable from any thread and from signal handlers; may change errno.
#pragma once

#include <span>
#include <string_view>

#include "preload/process/settings.h"

namespace px::shim {

// "px: PROFILE: " and the parts; what is not printable ASCII becomes '?'. Nothing where descriptor
// 2 is not the file that it was when the program was started: it may be the program's data by now.
void write_notice(const Settings& settings, std::span<const std::string_view> parts);

}  // namespace px::shim
