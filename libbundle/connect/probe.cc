// SPDX-License-Identifier: MIT
#include "libbundle/connect/probe.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include "libbundle/core/socket_option.h"

namespace px::bundle {

int open_probe(const SystemCalls& system, Egress& egress, sa_family_t family,
               const Endpoint& member, bool* no_socket) {
  const int fd = system.socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  *no_socket = fd < 0;
  if (fd < 0) return -errno;
  const linger reset{.l_onoff = 1, .l_linger = 0};
  int error = 0;
  if (!set_int_option(system, fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, 1) ||
      system.setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset) != 0) {
    error = errno;
    *no_socket = true;
  }
  if (error == 0) error = egress.prepare(fd, member);
  if (error == 0) {
    sockaddr_storage address;
    const socklen_t length = sockaddr_from_endpoint(member, family, &address);
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);
    if (system.connect(fd, generic, length) != 0 && errno != EINPROGRESS) error = errno;
  }
  if (error == 0) return fd;
  (void)system.close(fd);
  return -error;
}

void close_probe(const SystemCalls& system, int probe) {
  const sockaddr nowhere{.sa_family = AF_UNSPEC, .sa_data = {}};
  (void)system.connect(probe, &nowhere, sizeof nowhere);
  (void)system.close(probe);
}

int probe_result(const SystemCalls& system, int probe) {
  return take_error(system, probe);
}

}  // namespace px::bundle
