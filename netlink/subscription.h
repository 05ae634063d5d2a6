// SPDX-License-Identifier: MIT
// Hears what the kernel tells whoever has subscribed: netlink's multicast groups. A socket alone,
// for an event loop to wait on. Single-threaded.
#pragma once

#include <functional>
#include <span>

#include "netlink/protocol.h"
#include "util/error.h"
#include "util/fd.h"

struct nlmsghdr;

namespace px::netlink {

// A non-blocking socket that hears these groups. `receive_buffer`: bytes, of which an unprivileged
// caller may get fewer.
[[nodiscard]] Expected<Fd> subscribe(Protocol protocol, std::span<const int> groups,
                                     int receive_buffer);

// Hands over what has come. 0: that was all; ENOBUFS: the kernel had to drop some, and there may be
// more to read; else the errno of a socket that is of no more use.
[[nodiscard]] int read_events(int socket, const std::function<void(const nlmsghdr&)>& heard);

}  // namespace px::netlink
