// SPDX-License-Identifier: MIT
// The program's choices for its own sockets, noted in the table after its call succeeded: a socket
// whose source, device or mark it chose is left alone from then on (PX-6). Changes no errno;
// callable from any thread and from signal handlers.
#pragma once

#include <sys/socket.h>

#include <optional>

#include "libbundle/core/address.h"
#include "preload/sockets/fd_table.h"

namespace px::shim {

// bind(2).
void note_bind(FdTable* fds, int fd, const std::optional<bundle::Endpoint>& endpoint);

// setsockopt(2).
void note_option(FdTable* fds, int fd, int level, int name, const void* value, socklen_t length);

// The descriptors in a received message's control data (SCM_RIGHTS).
void note_received(FdTable* fds, const msghdr& message);

}  // namespace px::shim
