// SPDX-License-Identifier: MIT
// Programs that fail on an address family which they do not know, where others take the next entry
// of getaddrinfo's list: they get no entries of AF_BUNDLE unless the policy says so
// (`bundle: { entries: always }`). No heap, no state; callable from any thread and from signal
// handlers; changes no errno.
#pragma once

#include <string_view>

namespace px::shim {

// Whether the file, without its folder, is one of them: ncat, haproxy, busybox.
[[nodiscard]] bool is_fragile(std::string_view file);

// Whether this very program is; false where the kernel does not say what it is.
[[nodiscard]] bool is_fragile_program();

}  // namespace px::shim
