// SPDX-License-Identifier: MIT
// Addresses as SCTP's socket options take them: sockaddr_in and sockaddr_in6 one after another. A
// value on the stack; no system calls.
#pragma once

#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <span>

#include "libbundle/core/bundle.h"

namespace px::bundle {

struct PackedAddresses {
  explicit PackedAddresses(std::span<const Endpoint> members) {
    for (const Endpoint& member : members.first(std::min(members.size(), kMostMembers))) {
      sockaddr_storage storage;
      const socklen_t length =
          sockaddr_from_endpoint(member, member.address.is_ipv4() ? AF_INET : AF_INET6, &storage);
      std::memcpy(bytes.data() + size, &storage, length);
      size += length;
    }
  }

  alignas(sockaddr_in6) std::array<std::byte, kMostMembers * sizeof(sockaddr_in6)> bytes;
  socklen_t size = 0;
};

}  // namespace px::bundle
