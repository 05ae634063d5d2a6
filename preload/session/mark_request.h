// SPDX-License-Identifier: MIT
// Asks the broker to set px's mark on a socket of this program (docs/protocol.md, "A program:
// mark"): SO_MARK takes a privilege that programs lack. As exchange().
#pragma once

#include <cstdint>

#include "preload/process/settings.h"
#include "preload/session/exchange.h"

namespace px::shim {

// `mark` as in plan::Mark.
[[nodiscard]] Acknowledgement request_mark(const Settings& settings, const SecondSocket& second,
                                           int fd, std::uint32_t mark);

}  // namespace px::shim
