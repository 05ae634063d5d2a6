// SPDX-License-Identifier: MIT
#include "preload/sockets/kernel_socket.h"

#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "libbundle/core/socket_option.h"

namespace px::shim {
namespace {

bool has_mark(const SystemCalls& system, int fd, std::uint32_t own_marks) {
  const auto mark =
      static_cast<std::uint32_t>(int_option(system, fd, SOL_SOCKET, SO_MARK).value_or(0));
  return (mark & ~own_marks) != 0;
}

// TCP ignores this one.
bool has_outgoing_interface(const SystemCalls& system, int fd, bool ipv6) {
  return (ipv6 ? int_option(system, fd, IPPROTO_IPV6, IPV6_UNICAST_IF).value_or(0)
               : int_option(system, fd, IPPROTO_IP, IP_UNICAST_IF).value_or(0)) != 0;
}

// px itself binds a source without a port.
bool has_source_of_px(const SystemCalls& system, int fd) {
  return int_option(system, fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT).value_or(0) != 0;
}

FdKind kind_by_address(const SystemCalls& system, int fd, bool datagram) {
  const auto endpoint = own_endpoint(system, fd);
  if (!endpoint) return FdKind::kForeign;
  if (endpoint->address.is_unspecified() && endpoint->port == 0) return FdKind::kFresh;
  const bool connected = datagram && is_connected(system, fd);
  if (datagram && (connected || endpoint->port == 0) && has_source_of_px(system, fd)) {
    return FdKind::kReleased;
  }
  if (connected) return FdKind::kFresh;
  return kind_bound_to(endpoint->address);
}

}  // namespace

std::optional<bundle::Endpoint> own_endpoint(const SystemCalls& system, int fd) {
  sockaddr_storage storage{};
  auto* address = reinterpret_cast<sockaddr*>(&storage);
  socklen_t length = sizeof storage;
  if (system.getsockname(fd, address, &length) != 0) return std::nullopt;
  return bundle::endpoint_from_sockaddr(address, length);
}

bool is_connected(const SystemCalls& system, int fd) {
  sockaddr_storage peer;
  socklen_t length = sizeof peer;
  return system.getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &length) == 0;
}

Device device_of(const SystemCalls& system, int fd, const char* name) {
  char bound[IFNAMSIZ]{};
  socklen_t length = sizeof bound;
  if (system.getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, bound, &length) != 0) {
    return errno == ENODEV ? Device::kGone : Device::kOther;
  }
  if (length == 0) return Device::kNone;
  const std::string_view device(bound, strnlen(bound, sizeof bound));
  return device == name ? Device::kThis : Device::kOther;
}

FdKind kind_bound_to(const plan::Address& address) {
  if (address.is_unspecified()) return FdKind::kPortBound;
  const bool device_named = !address.is_ipv4() && address.is_link_local();
  return device_named || address.is_loopback() ? FdKind::kOwned : FdKind::kSourced;
}

FdState ask_kernel(const SystemCalls& system, int fd, std::uint32_t own_marks) {
  const auto told = int_option(system, fd, SOL_SOCKET, SO_DOMAIN);
  // Not the kernel's answer: a filter of system calls has given it.
  if (!told && errno != EBADF && errno != ENOTSOCK) return {.kind = FdKind::kUnknown};
  const int domain = told.value_or(AF_UNSPEC);
  if (domain != AF_INET && domain != AF_INET6) return {.kind = FdKind::kForeign};
  const int type = int_option(system, fd, SOL_SOCKET, SO_TYPE).value_or(0);
  const int protocol = int_option(system, fd, SOL_SOCKET, SO_PROTOCOL).value_or(0);
  FdState state = fresh_socket(domain, type, protocol);
  if (device_of(system, fd, "") != Device::kNone || has_mark(system, fd, own_marks) ||
      (state.datagram && has_outgoing_interface(system, fd, state.ipv6))) {
    state.kind = FdKind::kOwned;
  } else {
    state.kind = kind_by_address(system, fd, state.datagram);
  }
  return state;
}

FdState state_of(const SystemCalls& system, const FdTable& fds, const CurrentPlan& plan, int fd) {
  const FdState state = fds.get(fd);
  if (state.kind != FdKind::kUnknown) return state;
  return ask_kernel(system, fd, value_of(plan.latest(), &plan::Plan::mark_mask));
}

void dissolve(const SystemCalls& system, int fd) {
  sockaddr nothing{};
  nothing.sa_family = AF_UNSPEC;
  (void)system.connect(fd, &nothing, sizeof nothing);
}

bool tcp_is_closed(const SystemCalls& system, int fd) {
  std::uint8_t state = TCP_CLOSE;  // tcp_info's first member
  socklen_t length = sizeof state;
  return system.getsockopt(fd, IPPROTO_TCP, TCP_INFO, &state, &length) != 0 || state == TCP_CLOSE;
}

}  // namespace px::shim
