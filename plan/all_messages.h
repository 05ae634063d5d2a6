// SPDX-License-Identifier: MIT
// Every message, for what goes through them all: tests and fuzz targets.
#pragma once

#include <string_view>

#include "plan/bundle_wire.h"
#include "plan/name_wire.h"
#include "plan/wire.h"

namespace px::plan {

// Calls `visit.operator()<Message>(name)` for each message that is a structure.
template <typename Visit>
void for_each_message(Visit visit) {
#define PX_MESSAGE(number, name) visit.template operator()<name>(std::string_view(#name));
#define PX_EMPTY_MESSAGE(number, name) visit.template operator()<name>(std::string_view(#name));
#define PX_TEXT_MESSAGE(number, name)
#include "plan/messages.def"
}

}  // namespace px::plan
