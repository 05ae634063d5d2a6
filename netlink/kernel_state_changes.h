// SPDX-License-Identifier: MIT
// Hears of changes to what read_kernel_state() reads, from the caller's network namespace. They say
// little more than "read again", so that a lost one loses nothing. Needs no privilege.
#pragma once

#include <cstdint>
#include <functional>

#include "util/error.h"
#include "util/fd.h"

namespace px::netlink {

struct KernelStateChange {
  bool is_route = false;
  bool is_removal = false;
  std::uint8_t protocol = 0;  // RTPROT_*, of a route
};

// A non-blocking socket; `receive_buffer` in bytes.
[[nodiscard]] Expected<Fd> subscribe_to_kernel_state(int receive_buffer);

// Hands over what has come; false where the kernel had to drop some of it.
[[nodiscard]] bool read_kernel_state_changes(
    int socket, const std::function<void(const KernelStateChange&)>& heard);

}  // namespace px::netlink
