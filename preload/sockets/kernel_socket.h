// SPDX-License-Identifier: MIT
// What the kernel says about a socket of which nothing is remembered: inherited, received, one of
// several aliases. The answer is not remembered either. Callable from any thread and from signal
// handlers; may change errno.
#pragma once

#include <optional>

#include "libbundle/core/address.h"
#include "preload/process/system_calls.h"
#include "preload/session/current_plan.h"
#include "preload/sockets/fd_table.h"

namespace px::shim {

// Of a socket that the program bound to the address. A link-local source brings its device with it.
[[nodiscard]] FdKind kind_bound_to(const plan::Address& address);

// All kinds but kDecided; kUnknown where the kernel may not be asked, and no call of the socket is
// to leave. A connected datagram socket counts as unbound: its address may be the kernel's choice
// as well as the program's (see dissolve()). kReleased it is where it has the option that px sets
// before it binds a source (IP_BIND_ADDRESS_NO_PORT): once bound, the kernel never gives a source
// up again. `own_marks`: the bits of SO_MARK that are px's, not the program's choice.
[[nodiscard]] FdState ask_kernel(const SystemCalls& system, int fd, std::uint32_t own_marks);

// What the table remembers of the socket; where that is kUnknown, what the kernel says.
[[nodiscard]] FdState state_of(const SystemCalls& system, const FdTable& fds,
                               const CurrentPlan& plan, int fd);

// Ends a datagram socket's connection; the address that the socket still has is the program's
// choice.
void dissolve(const SystemCalls& system, int fd);

// The address that a socket is bound to; nothing for what is no internet socket.
[[nodiscard]] std::optional<bundle::Endpoint> own_endpoint(const SystemCalls& system, int fd);

// Whether a socket has a peer.
[[nodiscard]] bool is_connected(const SystemCalls& system, int fd);

// The device a socket is bound to, beside one of interest. kGone: it was deleted since.
enum class Device { kNone, kThis, kOther, kGone };
[[nodiscard]] Device device_of(const SystemCalls& system, int fd, const char* name);

// Whether a TCP socket is not connected, nor about to be.
[[nodiscard]] bool tcp_is_closed(const SystemCalls& system, int fd);

}  // namespace px::shim
