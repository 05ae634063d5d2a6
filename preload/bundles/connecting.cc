// SPDX-License-Identifier: MIT
#include "preload/bundles/connecting.h"

#include <fcntl.h>
#include <netinet/in.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "libbundle/connect/race.h"
#include "libbundle/connect/sctp_connect.h"
#include "libbundle/core/layout.h"
#include "libbundle/core/socket_option.h"
#include "preload/bundles/plan_egress.h"
#include "preload/session/bundle_settings.h"
#include "preload/session/extra_paths_request.h"

namespace px::shim {
namespace {

bool same_host(const bundle::Endpoint& a, const bundle::Endpoint& b) {
  return a.address == b.address && a.scope == b.scope;
}

}  // namespace

std::optional<int> BundleConnecting::connect(int fd, const CallAddress& destination) {
  const int errno_before = errno;
  const bool as_bundle = destination.is_bundle();
  bundle::Bundle bundle;
  if (!as_bundle && !find(destination, &bundle)) return std::nullopt;

  const auto option = [&](int name) {
    return int_option(system_, fd, SOL_SOCKET, name).value_or(-1);
  };
  const int protocol = option(SO_PROTOCOL);
  const bool sctp = protocol == IPPROTO_SCTP;
  const bool streams = (sctp && option(SO_TYPE) == SOCK_STREAM) || protocol == IPPROTO_TCP ||
                       protocol == IPPROTO_MPTCP;
  // The kernel refuses the family itself, for each kind of socket with another errno.
  if (!streams || (!as_bundle && option(SO_DOMAIN) != destination.family)) {
    errno = errno_before;
    return std::nullopt;
  }
  if (as_bundle && !read_bundle(destination, &bundle)) {
    errno = EINVAL;
    return -1;
  }
  (void)session_.ensure_session();
  const std::uint32_t stagger = stagger_for(bundle);
  const bundle::RaceTimes times{.stagger_ms = shortened(fd, stagger), .dead_after_ms = stagger};
  const bundle::SctpTimes sctp_times{.stagger_ms = stagger, .tcp_beside = has_tcp()};
  PlanEgress egress(system_, settings_, fds_, plan_, decider_, health_, connector_, round_trips_,
                    fd, sctp ? plan::HealthFact::kSctp : plan::HealthFact::kStreams);
  const bundle::Errno error = sctp ? bundle::sctp_connect(system_, egress, fd, bundle, sctp_times)
                                   : bundle::race(system_, egress, fd, bundle.members(), times);
  const auto chosen = egress.destination();
  if (!sctp && chosen && (error == 0 || error == EINPROGRESS) &&
      !same_host(*chosen, bundle.endpoints[0])) {
    losses_.add(bundle::monotonic_ms(system_));
  }
  if (protocol == IPPROTO_MPTCP && chosen && (error == 0 || error == EINPROGRESS)) {
    ask_for_subflows(fd, bundle, *chosen);
  }
  errno = error == 0 ? errno_before : error;
  return error == 0 ? 0 : -1;
}

std::uint32_t BundleConnecting::stagger_for(const bundle::Bundle& bundle) const {
  const std::uint32_t stagger = bundle_settings(plan_).stagger_ms;
  if (stagger != 0) return stagger;
  return bundle.implicit ? plan::kStaggerImplicitMs : plan::kStaggerExplicitMs;
}

// Whether getaddrinfo(3) has given the program entries of TCP, behind those of SCTP.
bool BundleConnecting::has_tcp() const {
  const plan::BundleSettings settings = bundle_settings(plan_);
  const auto& all = settings.transports;
  return settings.all_sockets == 0 &&
         std::find(std::begin(all), std::end(all), plan::BundleTransport::kTcp) != std::end(all);
}

// A call that is not to block.
std::uint32_t BundleConnecting::shortened(int fd, std::uint32_t stagger_ms) const {
  const int flags = system_.fcntl(fd, F_GETFL, 0);
  if (flags < 0 || (flags & O_NONBLOCK) == 0) return stagger_ms;
  return losses_.shortened(stagger_ms, bundle::monotonic_ms(system_));
}

// To the other addresses of the host that the socket is connected to. The call's result does not
// depend on them, so the broker is not waited for.
void BundleConnecting::ask_for_subflows(int fd, const bundle::Bundle& bundle,
                                        const bundle::Endpoint& destination) const {
  for (std::size_t first = 0; first < bundle.count;) {
    const auto host = bundle.group_at(first);
    first += host.size();
    const bool connected = std::any_of(host.begin(), host.end(), [&](const bundle::Endpoint& one) {
      return same_host(one, destination);
    });
    if (connected && host.size() > 1)
      (void)request_extra_paths(settings_, fd, host, PathAnswer::kNotAwaited);
  }
}

// The address that the program chose is its first choice.
bool BundleConnecting::find(const CallAddress& destination, bundle::Bundle* found) const {
  const auto& endpoint = destination.endpoint;
  if (!endpoint || !cache_.find(*endpoint, found) || found->count < 2) return false;
  auto* const begin = found->endpoints.begin();
  auto* const chosen = std::find_if(begin, begin + found->count, [&](const bundle::Endpoint& one) {
    return same_host(one, *endpoint);
  });
  if (chosen == begin + found->count) return false;
  std::rotate(begin, chosen, chosen + 1);
  return true;
}

// Programs that copy addresses into the size that they know (OpenSSL: 28 bytes) leave of a bundle
// only the first address.
bool BundleConnecting::read_bundle(const CallAddress& destination, bundle::Bundle* found) const {
  const socklen_t length = destination.length;
  if (const auto read = bundle::bundle_from_sockaddr(destination.bytes, length)) {
    *found = *read;
    if (found->truncated) (void)cache_.complete(found);
    return true;
  }
  if (length <= BUNDLE_HEADER_SIZE) return false;
  const auto* bytes = reinterpret_cast<const char*>(destination.bytes);
  auto first = bundle::endpoint_from_sockaddr(
      reinterpret_cast<const sockaddr*>(bytes + BUNDLE_HEADER_SIZE), length - BUNDLE_HEADER_SIZE);
  if (!first) return false;
  in_port_t port;
  std::memcpy(&port, bytes + offsetof(sockaddr_bundle, sb_port), sizeof port);
  first->port = ntohs(port);
  return cache_.find(*first, found);
}

}  // namespace px::shim
