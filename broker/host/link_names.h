// SPDX-License-Identifier: MIT
// Name servers that the host's network managers have for a link, and where that is known from: a
// plain value. What stands in it was told by a network: nothing but addresses and domains.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "libbundle/core/address.h"

namespace px::broker {

struct LinkNames {
  struct Server {
    bundle::Address address;  // link-local: on this link
    std::uint16_t port = 53;
    friend bool operator==(const Server&, const Server&) = default;
  };
  std::vector<Server> servers;       // the most preferred first
  std::vector<std::string> domains;  // that are searched
  std::string source;                // for people: "systemd-resolved"

  friend bool operator==(const LinkNames&, const LinkNames&) = default;
};

// By the interface's name; "": of /etc/resolv.conf, which does not say by which link.
using LinkNamesByInterface = std::map<std::string, LinkNames>;

}  // namespace px::broker
