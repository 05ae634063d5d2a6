// SPDX-License-Identifier: MIT
// abi.h as C++ without the types of abi_types.h: compiled, never linked.
#include "plan/abi.h"

namespace px::plan {

static_assert(sizeof(px_address) == 16 && alignof(px_address) == 1);
static_assert(sizeof(px_shared_uint64) == 8 && alignof(px_shared_uint64) == 8);

}  // namespace px::plan
