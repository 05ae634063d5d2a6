// SPDX-License-Identifier: MIT
// The bits of SO_MARK that are px's in the tests of what is done with marks: those of a host whose
// policy names none. A constant, shared by the files of one program.
#pragma once

#include <cstdint>

namespace px::broker {

inline constexpr std::uint32_t kMask = 0xff000000;

}  // namespace px::broker
