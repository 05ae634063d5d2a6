// SPDX-License-Identifier: MIT
#include "preload/bundles/sockets.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <optional>

#include "libbundle/bundle.h"
#include "libbundle/connect/sctp_connect.h"
#include "libbundle/core/socket_option.h"
#include "preload/session/bundle_settings.h"

namespace px::shim {
namespace {

using plan::BundleTransport;

bool is_stream(int type) {
  return (type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) == SOCK_STREAM;
}

bool is_plain_tcp(int domain, int type, int protocol) {
  return (domain == AF_INET || domain == AF_INET6) && is_stream(type) &&
         (protocol == 0 || protocol == IPPROTO_TCP);
}

std::optional<BundleTransport> transport_named(int protocol) {
  switch (protocol) {
    case IPPROTO_SCTP:
      return BundleTransport::kSctp;
    case IPPROTO_MPTCP:
      return BundleTransport::kMptcp;
    case IPPROTO_TCP:
      return BundleTransport::kTcp;
    default:
      return std::nullopt;
  }
}

}  // namespace

int BundleSockets::socket(int domain, int type, int protocol) {
  if (domain == AF_BUNDLE) return make_bundle(type, protocol);
  int made = protocol;
  int fd = -1;
  const bool plain_tcp = is_plain_tcp(domain, type, protocol);
  if (plain_tcp) session_.ensure_session_for_sockets();
  if (plain_tcp && bundle_settings(plan_).all_sockets != 0) {
    fd = make_first(bundle_settings(plan_), domain, type, &made);
  } else {
    fd = libc_.socket(domain, type, protocol);
  }
  if (fd < 0) return fd;
  if (made == IPPROTO_SCTP) tune(fd);
  // Of another family nothing is remembered: in a vfork child the number may be another socket's.
  const FdState state = fresh_socket(domain, type, made);
  fds_.forget(fd);
  if (state.kind != FdKind::kForeign) {
    fds_.set(fd, state);
  } else {
    fds_.set_notes(fd, {.examined = true});
  }
  return fd;
}

int BundleSockets::make_bundle(int type, int protocol) {
  // Which profile a program has may not be known yet; where nobody answers it has the last known
  // one.
  (void)session_.ensure_session();
  const plan::BundleSettings settings = bundle_settings(plan_);
  if (settings.transports[0] == BundleTransport::kNone) {
    return libc_.socket(AF_BUNDLE, type, protocol);
  }
  const auto named = transport_named(protocol);
  if (!is_stream(type) || (!named && protocol != 0)) {
    errno = EPROTONOSUPPORT;
    return -1;
  }
  int made = protocol;
  const int fd = named ? transports_.make(*named, AF_INET6, type)
                       : make_first(settings, AF_INET6, type, &made);
  if (fd < 0) return fd;
  if (made == IPPROTO_SCTP) tune(fd);
  const KeepErrno keep;
  // net.ipv6.bindv6only may say otherwise.
  (void)set_int_option(system_, fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
  fds_.forget(fd);
  fds_.set(fd, fresh_socket(AF_INET6, type, made));
  fds_.set_notes(fd, {.role = BundleRole::kBundle});
  return fd;
}

void BundleSockets::tune(int fd) const {
  const KeepErrno keep;
  if (bundles_are_on(plan_)) bundle::tune_sctp(system_, fd);
}

int BundleSockets::make_first(const plan::BundleSettings& settings, int domain, int type,
                              int* made) {
  const int errno_before = errno;
  errno = EPROTONOSUPPORT;
  for (const BundleTransport transport : settings.transports) {
    if (transport == BundleTransport::kNone) break;
    const int fd = transports_.make(transport, domain, type);
    if (fd >= 0) {
      *made = protocol_of(transport);
      errno = errno_before;
      return fd;
    }
    // SCTP without IPv6 (EAFNOSUPPORT) is none either.
    if (errno != EPROTONOSUPPORT && errno != EAFNOSUPPORT) break;
  }
  return -1;
}

}  // namespace px::shim
