// SPDX-License-Identifier: MIT
// The order in which a program is to try the addresses of a name: that of glibc's getaddrinfo(3),
// which follows RFC 3484 with a few differences of its own. What each of them leaves from is the
// caller's to say. Pure; no heap. Callable from any thread.
#pragma once

#include <netdb.h>

#include <cstdint>
#include <span>

#include "libbundle/core/address.h"
#include "preload/names/gai_conf.h"

namespace px::shim {

struct Destination {
  bundle::Address address;
  int family = AF_INET6;   // of the sockaddr
  bool unsteered = false;  // goes as the host routes it
  bool reachable = false;
  // From here on of the source, where it is reachable.
  bundle::Address source{};
  std::uint32_t interface = 0;    // 0: not known
  std::uint8_t prefix_bits = 32;  // of an IPv4 source: the length of its network's prefix
  bool deprecated = false;
  bool home = false;   // of Mobile IPv6
  bool native = true;  // not in a tunnel of IP in IP
  // The entries of this address in getaddrinfo's list.
  addrinfo* first = nullptr;
  addrinfo* last = nullptr;
};

// Sorts; what no rule tells apart stays in its order. `room` is as large as `destinations`.
void sort_destinations(const GaiConf& tables, std::span<Destination> destinations,
                       std::span<Destination> room);

}  // namespace px::shim
