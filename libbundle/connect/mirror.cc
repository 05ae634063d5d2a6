// SPDX-License-Identifier: MIT
#include "libbundle/connect/mirror.h"

#include <net/if.h>
#include <netinet/in.h>

#include "libbundle/core/address.h"
#include "libbundle/core/socket_option.h"

namespace px::bundle {
namespace {

Errno mirror_device(const SystemCalls& system, int from, int to) {
  char device[IFNAMSIZ]{};
  socklen_t length = sizeof device;
  if (system.getsockopt(from, SOL_SOCKET, SO_BINDTODEVICE, device, &length) != 0) return errno;
  if (length == 0) return 0;
  return system.setsockopt(to, SOL_SOCKET, SO_BINDTODEVICE, device, length) == 0 ? 0 : errno;
}

Errno mirror_mark(const SystemCalls& system, int from, int to) {
  const int mark = int_option(system, from, SOL_SOCKET, SO_MARK).value_or(0);
  if (mark == 0) return 0;
  return set_int_option(system, to, SOL_SOCKET, SO_MARK, mark) ? 0 : errno;
}

Errno mirror_source(const SystemCalls& system, int from, int to) {
  sockaddr_storage storage{};
  auto* address = reinterpret_cast<sockaddr*>(&storage);
  socklen_t length = sizeof storage;
  if (system.getsockname(from, address, &length) != 0) return errno;
  auto source = endpoint_from_sockaddr(address, length);
  if (!source || source->address.is_unspecified()) return 0;
  source->port = 0;
  (void)set_int_option(system, to, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
  length = sockaddr_from_endpoint(*source, storage.ss_family, &storage);
  return system.bind(to, address, length) == 0 ? 0 : errno;
}

}  // namespace

Errno mirror(const SystemCalls& system, int from, int to) {
  Errno error = mirror_device(system, from, to);
  if (error == 0) error = mirror_mark(system, from, to);
  return error != 0 ? error : mirror_source(system, from, to);
}

}  // namespace px::bundle
