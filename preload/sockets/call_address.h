// SPDX-License-Identifier: MIT
// The address that a call of the program's names: its sockaddr, read once at the call's beginning
// and passed on. What the kernel would not read is not read here either, so that the kernel says
// EFAULT or EINVAL of it. A value that lasts as long as the program's call; callable from any
// thread and from signal handlers; changes no errno.
#pragma once

#include <sys/socket.h>

#include <optional>

#include "libbundle/bundle.h"
#include "libbundle/core/address.h"

namespace px::shim {

struct CallAddress {
  sa_family_t family = AF_UNSPEC;  // as the sockaddr says; AF_UNSPEC also where none is read
  // Of AF_INET and AF_INET6, where the sockaddr is long enough.
  std::optional<bundle::Endpoint> endpoint = std::nullopt;
  // The program's own bytes, unaligned perhaps; null where there are none.
  const sockaddr* bytes = nullptr;
  socklen_t length = 0;
  bool is_read = false;  // the bytes were read, and may be read again

  [[nodiscard]] bool is_bundle() const { return family == AF_BUNDLE; }
};

[[nodiscard]] CallAddress read_call_address(const sockaddr* bytes, socklen_t length);

// The same of bytes that the kernel has just read or written: nothing is asked.
[[nodiscard]] CallAddress known_call_address(const sockaddr* bytes, socklen_t length);

// What a call would name that gives a socket of this family the endpoint; nothing for an IPv6
// address and AF_INET.
[[nodiscard]] std::optional<CallAddress> call_address_of(const bundle::Endpoint& endpoint,
                                                         sa_family_t family);

}  // namespace px::shim
