// SPDX-License-Identifier: MIT
// A program's socket, as it was passed to the broker: whether it is one to do anything for, and
// px's bits of its mark. Keeps nothing of the socket.
#pragma once

#include <cstdint>

#include "util/error.h"

namespace px::broker {

// An error unless it is a socket of IPv4 or IPv6, of the network namespace with this cookie (0: not
// known).
[[nodiscard]] Expected<void> check_socket(int socket, std::uint64_t network_namespace);

// Of a socket that check_socket takes. Bits outside the mask stay as they are. Needs CAP_NET_ADMIN.
[[nodiscard]] Expected<void> set_socket_mark(int socket, std::uint32_t mark, std::uint32_t mask,
                                             std::uint64_t network_namespace);

}  // namespace px::broker
