// SPDX-License-Identifier: MIT
// A notation's members in one order, whichever they were written in: the name by which
// getnameinfo(3) calls a bundle that was made of names. Pure; no heap. Callable from any thread.
#pragma once

#include <span>
#include <string_view>

#include "libbundle/core/notation.h"

namespace px::shim {

// `<a,b|c>`: in each alternative IPv4 addresses, then IPv6 addresses, then names in lower case,
// each sorted; the alternatives likewise, by their first members. A member that is there twice
// stands once.
// Empty where no member is a name, and where the buffer is too small. Points into the buffer.
[[nodiscard]] std::string_view members_text(std::span<const bundle::Member> members,
                                            std::span<char> buffer);

}  // namespace px::shim
