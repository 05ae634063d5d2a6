// SPDX-License-Identifier: MIT
// Sets px's bits of the mark of a program's socket. Keeps nothing of the socket; needs
// CAP_NET_ADMIN.
#pragma once

#include <cstdint>

#include "util/error.h"

namespace px::broker {

// The socket must be IPv4's or IPv6's, of the network namespace with this cookie (0: not known).
// Bits outside the mask stay as they are.
[[nodiscard]] Expected<void> set_socket_mark(int socket, std::uint32_t mark, std::uint32_t mask,
                                             std::uint64_t network_namespace);

}  // namespace px::broker
