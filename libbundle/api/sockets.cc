// SPDX-License-Identifier: MIT
// The part of bundle.h that connects. Each call is tried with AF_BUNDLE first: under libpx.so that
// is px's to answer, by the policy; the kernel knows no such family, and then it is done here.
#include <netinet/in.h>
#include <pthread.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "libbundle/api/export.h"
#include "libbundle/bundle.h"
#include "libbundle/connect/race.h"
#include "libbundle/connect/sctp_bind.h"
#include "libbundle/connect/sctp_connect.h"
#include "libbundle/core/layout.h"

namespace {

using namespace px::bundle;

constexpr std::uint32_t kStaggerExplicitMs = 100;
constexpr std::uint32_t kStaggerImplicitMs = 250;  // RFC 8305

// Where what is done here makes sockets and connects them, libpx.so may have a say, too.
constexpr SystemCalls interposable_calls() {
  SystemCalls calls = kBareSystemCalls;
  calls.socket = &::socket;
  calls.connect = &::connect;
  calls.bind = &::bind;
  return calls;
}
constexpr SystemCalls kCalls = interposable_calls();

class NoPolicy final : public Egress {
 public:
  Errno prepare(int /*fd*/, const Endpoint& /*member*/) override { return 0; }
  bool can_move(int /*fd*/, const Endpoint& /*from*/, const Endpoint& /*to*/) override {
    return true;
  }
  Health health(const Endpoint& /*member*/) override { return Health::kUnknown; }
  void report(const Endpoint& /*member*/, bool /*alive*/) override {}
};

// A thread that ended in the middle of a race would leave sockets behind.
class NotCancelled {
 public:
  NotCancelled() { pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before_); }
  NotCancelled(const NotCancelled&) = delete;
  NotCancelled& operator=(const NotCancelled&) = delete;
  ~NotCancelled() { pthread_setcancelstate(before_, nullptr); }

 private:
  int before_ = PTHREAD_CANCEL_ENABLE;
};

int answer(Errno error) {
  if (error == 0) return 0;
  errno = error;
  return -1;
}

bool is_bundle(const sockaddr* address, socklen_t length) {
  return check_layout(address, length) != LayoutFault::kFamily;
}

// Not int_option(), which asks the kernel: under libpx.so this is the answer that programs get.
int socket_option(int fd, int level, int name) {
  int value = 0;
  socklen_t length = sizeof value;
  return getsockopt(fd, level, name, &value, &length) == 0 ? value : -1;
}

bool is_sctp(int fd) {
  return socket_option(fd, SOL_SOCKET, SO_PROTOCOL) == IPPROTO_SCTP;
}

// Whether errno is the kernel's for a family that it does not know: nobody has acted on the bundle.
bool nobody_knows(int fd) {
  return errno == EAFNOSUPPORT || (errno == EINVAL && is_sctp(fd));
}

void set_ipv6_only(int fd, int value) {
  (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &value, sizeof value);
}

bool is_ipv4(const Endpoint& member) {
  return member.address.is_ipv4();
}

// bind(2) to one address, for a socket of either family; 0, or the errno.
Errno bind_to(int fd, const Endpoint& endpoint, sa_family_t family) {
  sockaddr_storage storage;
  const socklen_t length = sockaddr_from_endpoint(endpoint, family, &storage);
  if (length == 0) return EAFNOSUPPORT;
  return bind(fd, reinterpret_cast<const sockaddr*>(&storage), length) == 0 ? 0 : errno;
}

// Binding to all addresses does not tell that one of them is another host's.
Errno check_own(const Endpoint& member) {
  const sa_family_t family = member.address.is_ipv4() ? AF_INET : AF_INET6;
  const int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  Endpoint any_port = member;
  any_port.port = 0;
  const Errno error = bind_to(fd, any_port, family);
  (void)kBareSystemCalls.close(fd);
  return error;
}

Errno bind_set(int fd, const Bundle& set) {
  const int domain = socket_option(fd, SOL_SOCKET, SO_DOMAIN);
  if (domain < 0) return errno;
  const auto family = static_cast<sa_family_t>(domain);
  const auto ipv4 = std::ranges::count_if(set.members(), is_ipv4);
  if (family == AF_INET ? ipv4 != set.count : family != AF_INET6) return EAFNOSUPPORT;
  if (is_sctp(fd)) return sctp_bind(kCalls, fd, set);
  for (const Endpoint& member : set.members()) {
    if (const Errno error = check_own(member)) return error;
  }
  // The other family's port stays free where nothing of it is in the set.
  Endpoint to = set.endpoints[0];
  if (set.count > 1) {
    to.address = ipv4 == set.count ? ipv4_address(INADDR_ANY) : Address{};
    to.scope = 0;
  }
  const int before = socket_option(fd, IPPROTO_IPV6, IPV6_V6ONLY);
  if (family == AF_INET6) set_ipv6_only(fd, ipv4 == 0 ? 1 : 0);
  const Errno error = bind_to(fd, to, family);
  if (error != 0 && family == AF_INET6) set_ipv6_only(fd, before);
  return error;
}

bool admits(const Bundle& set, int connection) {
  sockaddr_storage storage;
  socklen_t length = sizeof storage;
  auto* address = reinterpret_cast<sockaddr*>(&storage);
  if (getsockname(connection, address, &length) != 0) return false;
  const auto called = endpoint_from_sockaddr(address, length);
  return called && std::ranges::any_of(set.members(), [&](const Endpoint& member) {
           if (member.address.is_unspecified()) return is_ipv4(member) == is_ipv4(*called);
           const bool here = member.scope == 0 || member.scope == called->scope;
           return member.address == called->address && here;
         });
}

void reset(int connection) {
  const linger at_once = {.l_onoff = 1, .l_linger = 0};
  (void)setsockopt(connection, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  (void)close(connection);
}

void give_peer(const sockaddr_storage& from, socklen_t from_length, sockaddr* peer,
               socklen_t* length) {
  if (peer == nullptr || length == nullptr) return;
  sockaddr_storage plain = from;
  const auto endpoint =
      endpoint_from_sockaddr(reinterpret_cast<const sockaddr*>(&from), from_length);
  if (endpoint && endpoint->address.is_ipv4()) {
    from_length = sockaddr_from_endpoint(*endpoint, AF_INET, &plain);
  }
  std::memcpy(peer, &plain, std::min(*length, from_length));
  *length = from_length;
}

}  // namespace

BUNDLE_EXPORT int bundle_socket(int type, int protocol) {
  const int errno_before = errno;
  int fd = socket(AF_BUNDLE, type, protocol);
  if (fd >= 0 || errno != EAFNOSUPPORT) return fd;
  if ((type & ~(SOCK_CLOEXEC | SOCK_NONBLOCK)) != SOCK_STREAM) return answer(ESOCKTNOSUPPORT);
  fd = socket(AF_INET6, type, protocol);
  if (fd < 0 && errno == EAFNOSUPPORT) fd = socket(AF_INET, type, protocol);
  if (fd < 0) return -1;
  if (socket_option(fd, SOL_SOCKET, SO_DOMAIN) == AF_INET6) set_ipv6_only(fd, 0);
  if (is_sctp(fd)) tune_sctp(kBareSystemCalls, fd);
  errno = errno_before;
  return fd;
}

BUNDLE_EXPORT int bundle_connect(int fd, const sockaddr* address, socklen_t length) {
  if (!is_bundle(address, length)) return connect(fd, address, length);
  const auto bundle = bundle_from_sockaddr(address, length);
  if (!bundle) return answer(EINVAL);
  const NotCancelled guard;
  const int errno_before = errno;
  if (connect(fd, address, length) == 0) return 0;
  if (!nobody_knows(fd)) return -1;
  NoPolicy egress;
  const std::uint32_t stagger = bundle->implicit ? kStaggerImplicitMs : kStaggerExplicitMs;
  const Errno error = is_sctp(fd)
                          ? sctp_connect(kCalls, egress, fd, *bundle, {.stagger_ms = stagger})
                          : race(kCalls, egress, fd, bundle->members(), {.stagger_ms = stagger});
  errno = errno_before;
  return answer(error);
}

BUNDLE_EXPORT int bundle_bind(int fd, const sockaddr* address, socklen_t length) {
  if (!is_bundle(address, length)) return bind(fd, address, length);
  const auto set = bundle_from_sockaddr(address, length);
  if (!set) return answer(EINVAL);
  const NotCancelled guard;
  const int errno_before = errno;
  if (bind(fd, address, length) == 0) return 0;
  if (!nobody_knows(fd)) return -1;
  const Errno error = bind_set(fd, *set);
  errno = errno_before;
  return answer(error);
}

BUNDLE_EXPORT int bundle_accept(int fd, const sockaddr_bundle* admitted, sockaddr* peer,
                                socklen_t* length, int flags) {
  Bundle set;
  if (admitted != nullptr) {
    const auto read =
        bundle_from_sockaddr(reinterpret_cast<const sockaddr*>(admitted), BUNDLE_SIZE_MAX);
    if (!read) return answer(EINVAL);
    set = *read;
  }
  for (;;) {
    sockaddr_storage from;
    socklen_t from_length = sizeof from;
    const int connection = accept4(fd, reinterpret_cast<sockaddr*>(&from), &from_length, flags);
    if (connection < 0) return -1;
    if (admitted == nullptr || admits(set, connection)) {
      give_peer(from, from_length, peer, length);
      return connection;
    }
    reset(connection);
  }
}
