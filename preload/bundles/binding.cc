// SPDX-License-Identifier: MIT
#include "preload/bundles/binding.h"

#include <netinet/in.h>

#include <algorithm>
#include <cerrno>

#include "libbundle/connect/sctp_bind.h"
#include "libbundle/core/layout.h"
#include "libbundle/core/socket_option.h"
#include "preload/bundles/filter_program.h"
#include "preload/process/signals.h"
#include "preload/session/bundle_settings.h"
#include "preload/sockets/program_choices.h"

namespace px::shim {
namespace {

using bundle::Bundle;
using bundle::Endpoint;

int socket_option(const SystemCalls& system, int fd, int name) {
  return int_option(system, fd, SOL_SOCKET, name).value_or(-1);
}

bool has_ipv4(const Bundle& set) {
  return std::ranges::any_of(set.members(),
                             [](const Endpoint& member) { return member.address.is_ipv4(); });
}

bool has_ipv6(const Bundle& set) {
  return std::ranges::any_of(set.members(),
                             [](const Endpoint& member) { return !member.address.is_ipv4(); });
}

// Of one family where the set is: the other family's port stays free.
Endpoint wildcard_of(const Bundle& set) {
  const bool ipv4 = !has_ipv6(set);
  return {.address = ipv4 ? bundle::ipv4_address(INADDR_ANY) : bundle::Address{},
          .port = set.endpoints[0].port};
}

}  // namespace

bool BundleBinding::takes(int fd, const CallAddress& named) const {
  if (named.is_bundle()) return bundles_are_on(plan_);
  if (named.family == AF_INET && fds_.notes(fd).role == BundleRole::kBundle) return true;
  if (listener_filters_.empty()) return false;
  return named.endpoint && is_claimed(fd, *named.endpoint);
}

// Servers that take every entry of getaddrinfo(3) bind to the bundle, and then to its addresses one
// by one; they go on where that fails, but end where listen(2) does.
bool BundleBinding::is_claimed(int fd, const Endpoint& endpoint) const {
  const KeepErrno keep;
  return !endpoint.address.is_unspecified() && socket_option(system_, fd, SO_TYPE) == SOCK_STREAM &&
         listener_filters_.claims(endpoint);
}

int BundleBinding::bind(int fd, const CallAddress& named) {
  const int errno_before = errno;
  const int domain = socket_option(system_, fd, SO_DOMAIN);
  if (domain == -1) return -1;
  const auto family = static_cast<sa_family_t>(domain);
  if (const auto& single = named.endpoint) {
    if (is_claimed(fd, *single)) {
      errno = EADDRINUSE;
      return -1;
    }
    return bind_one(fd, *single, family);
  }
  auto set = bundle::bundle_from_sockaddr(named.bytes, named.length);
  const bool internet = domain == AF_INET || domain == AF_INET6;
  Errno error = 0;
  if (!internet || socket_option(system_, fd, SO_TYPE) != SOCK_STREAM ||
      (domain == AF_INET && set && has_ipv6(*set))) {
    error = EAFNOSUPPORT;
  } else if (!set) {
    error = EINVAL;
  } else {
    (void)cache_.complete(&*set);
    if (set->count == 1) return bind_one(fd, set->endpoints[0], family);
    error = bind_all(fd, *set, family);
  }
  errno = error == 0 ? errno_before : error;
  return error == 0 ? 0 : -1;
}

int BundleBinding::bind_one(int fd, const Endpoint& endpoint, sa_family_t family) {
  sockaddr_storage storage;
  const socklen_t length = bundle::sockaddr_from_endpoint(endpoint, family, &storage);
  const int result = libc_.bind(fd, reinterpret_cast<const sockaddr*>(&storage), length);
  if (result == 0) note_bind(&fds_, fd, endpoint);
  return result;
}

BundleBinding::Errno BundleBinding::bind_all(int fd, const Bundle& set, sa_family_t family) {
  if (socket_option(system_, fd, SO_PROTOCOL) == IPPROTO_SCTP) {
    const Errno error = bundle::sctp_bind(system_, fd, set);
    if (error == 0) note(fd, BundleRole::kBound, FdKind::kOwned);
    return error;
  }
  if (const Errno error = check_own(set)) return error;
  const BundleRole role = fds_.notes(fd).role;
  // From here on the table takes the descriptor for one of its own; a second bind is refused by the
  // kernel, and changes nothing.
  if (role == BundleRole::kBound) return EINVAL;
  if (fd < 0 || static_cast<std::size_t>(fd) >= FdTable::kSize) return ENOBUFS;
  const FdKind kind = fds_.get(fd).kind;
  note(fd, BundleRole::kBound, kind);
  const auto place = listener_filters_.reserve();
  const ListenerFilters::Cookie cookie = listener_filters_.cookie_of(fd);
  const Errno error = place && cookie != 0 ? bind_wildcard(fd, set, family) : ENOBUFS;
  if (error != 0) {
    if (place) listener_filters_.leave(*place);
    note(fd, role, kind);
    return error;
  }
  listener_filters_.fill(*place, cookie, {.set = set, .in_kernel = filter(fd, set)});
  note(fd, BundleRole::kBound, FdKind::kPortBound);
  return 0;
}

BundleBinding::Errno BundleBinding::bind_wildcard(int fd, const Bundle& set, sa_family_t family) {
  const int only = has_ipv4(set) ? 0 : 1;
  int before = only;
  if (family == AF_INET6) {
    before = int_option(system_, fd, IPPROTO_IPV6, IPV6_V6ONLY).value_or(only);
    if (before != only) (void)set_int_option(system_, fd, IPPROTO_IPV6, IPV6_V6ONLY, only);
  }
  sockaddr_storage storage;
  const socklen_t length = bundle::sockaddr_from_endpoint(wildcard_of(set), family, &storage);
  if (libc_.bind(fd, reinterpret_cast<const sockaddr*>(&storage), length) == 0) return 0;
  const Errno error = errno;
  if (before != only) (void)set_int_option(system_, fd, IPPROTO_IPV6, IPV6_V6ONLY, before);
  return error;
}

BundleBinding::Errno BundleBinding::check_own(const Bundle& set) const {
  for (const Endpoint& member : set.members()) {
    if (member.address.is_unspecified()) continue;
    if (const Errno error = check_own(member)) return error;
  }
  return 0;
}

// The kernel's answer to a bind that takes no port.
BundleBinding::Errno BundleBinding::check_own(const Endpoint& endpoint) const {
  const sa_family_t family = endpoint.address.is_ipv4() ? AF_INET : AF_INET6;
  Endpoint portless = endpoint;
  portless.port = 0;
  sockaddr_storage storage;
  const socklen_t length = bundle::sockaddr_from_endpoint(portless, family, &storage);
  const BlockSignals block;
  const int probe = system_.socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (probe < 0) return errno;
  (void)set_int_option(system_, probe, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
  const int result = system_.bind(probe, reinterpret_cast<const sockaddr*>(&storage), length);
  const Errno error = result == 0 ? 0 : errno;
  (void)system_.close(probe);
  return error;
}

// The kernel takes filters for TCP from programs with CAP_NET_ADMIN, and none for MPTCP.
bool BundleBinding::filter(int fd, const Bundle& set) const {
  if (std::ranges::any_of(set.members(),
                          [](const Endpoint& member) { return member.scope != 0; })) {
    return false;
  }
  const FilterProgram filter(set);
  const sock_fprog program{.len = static_cast<unsigned short>(filter.program().size()),
                           .filter = const_cast<sock_filter*>(filter.program().data())};
  return system_.setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
}

void BundleBinding::note(int fd, BundleRole role, FdKind kind) {
  FdNotes notes = fds_.notes(fd);
  notes.role = role;
  notes.examined = true;
  fds_.set_notes(fd, notes);
  FdState state = fds_.get(fd);
  state.kind = kind;
  fds_.set(fd, state);
}

}  // namespace px::shim
