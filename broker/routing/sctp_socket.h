// SPDX-License-Identifier: MIT
// A program's SCTP socket, as it was passed to the broker: binds it, so that it is the kernel that
// chooses the port, one that nobody has. And which ports of this network namespace are in use.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "libbundle/core/address.h"
#include "util/error.h"

namespace px::broker {

[[nodiscard]] bool is_sctp(int socket);
// Whether its program has said which ports the kernel may give it.
[[nodiscard]] bool chooses_port(int socket);

// Binds the socket, which is bound to nothing, to the source and a port of its own.
[[nodiscard]] Expected<void> bind_source(int socket, const bundle::Endpoint& source);
// To another source, besides. That it is bound to it already is no error.
[[nodiscard]] Expected<void> bind_further_source(int socket, const bundle::Endpoint& source);
// Host byte order; 0: it is bound to nothing.
[[nodiscard]] std::uint16_t port_of(int socket);

// The source that the kernel gives to unsteered packets for the destination.
[[nodiscard]] Expected<bundle::Address> unsteered_source(const bundle::Endpoint& destination);

// Which of this host's addresses and SCTP ports are in use, at one moment. No two sockets have the
// same: whatever is bound to a source and port that a socket was given is that socket.
class SctpPorts {
 public:
  [[nodiscard]] static SctpPorts read();
  // What /proc/net/sctp/assocs says.
  explicit SctpPorts(const std::string& associations);

  // Whether an association, or else a socket, has the port at one of these addresses.
  [[nodiscard]] bool in_use(std::uint16_t port, std::span<const bundle::Endpoint> sources) const;

 private:
  std::map<std::uint16_t, std::vector<bundle::Address>> sources_;  // by local port
};

}  // namespace px::broker
