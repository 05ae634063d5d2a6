// SPDX-License-Identifier: MIT
// The system calls, and how errno is kept, under names of px::shim: they stand in libbundle,
// which makes the same calls in programs that link it.
#pragma once

#include "libbundle/core/system_calls.h"

namespace px::shim {

using bundle::kBareSystemCalls;
using bundle::KeepErrno;
using bundle::SystemCalls;

}  // namespace px::shim
