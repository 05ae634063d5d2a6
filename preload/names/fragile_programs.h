// SPDX-License-Identifier: MIT
// Programs that do less with getaddrinfo's list than others. Those that fail on an unknown address
// family get no entries of AF_BUNDLE unless the policy says so (`bundle: { entries: always }`). Of
// those that may connect to the first address alone, that address's family matters. No heap, no
// state; callable from any thread and from signal handlers; changes no errno.
#pragma once

#include <string_view>

namespace px::shim {

// Whether the file, without its folder, is one of them: ncat, haproxy, busybox, tnftp and others.
[[nodiscard]] bool is_fragile(std::string_view file);

// Whether it may be one that tries the first address that it is given and no other: these, iperf3
// and node.
[[nodiscard]] bool takes_first_address(std::string_view file);

// Whether this very program is; false where the kernel does not say what it is.
[[nodiscard]] bool is_fragile_program();
[[nodiscard]] bool program_takes_first_address();

}  // namespace px::shim
