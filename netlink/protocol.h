// SPDX-License-Identifier: MIT
// What a netlink socket speaks. It needs no header of the kernel's, whose names would come along to
// whoever opens one.
#pragma once

namespace px::netlink {

// NETLINK_*.
enum class Protocol : int { kRoute = 0, kSocketDiag = 4, kGeneric = 16 };

}  // namespace px::netlink
