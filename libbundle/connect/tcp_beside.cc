// SPDX-License-Identifier: MIT
#include "libbundle/connect/tcp_beside.h"

#include <algorithm>

#include "libbundle/connect/probe.h"

namespace px::bundle {
namespace {

// SCTP needs two round trips where TCP needs one, and began before it.
constexpr std::int64_t kRoundTrips = 2;
constexpr std::int64_t kAtLeastMs = 50;

}  // namespace

void TcpBeside::advance(std::int64_t now) {
  if (now < due() || sctp_ends_ != kNever) return;
  bool no_socket = false;
  const int fd = open_probe(system_, egress_, family_, members_[next_], &no_socket);
  if (fd >= 0) probes_[next_] = {.fd = fd, .since = now};
  ++next_;
  due_ = now + stagger_;
  if (no_socket) next_ = members_.size();
}

unsigned TcpBeside::watch(pollfd* polls) const {
  unsigned count = 0;
  for (const Probe& probe : probes_) {
    if (probe.fd >= 0) polls[count++] = {.fd = probe.fd, .events = POLLOUT, .revents = 0};
  }
  return count;
}

void TcpBeside::settle(const pollfd* polls, unsigned count, std::int64_t now) {
  for (unsigned i = 0; i < count; ++i) {
    if (polls[i].revents == 0) continue;
    auto* const probe = std::find_if(probes_.begin(), probes_.end(),
                                     [&](const Probe& one) { return one.fd == polls[i].fd; });
    if (probe == probes_.end()) continue;
    const bool closed = (polls[i].revents & POLLNVAL) != 0;  // by the program
    const Errno error = closed ? EBADF : probe_result(system_, probe->fd);
    if (!closed) close_probe(system_, probe->fd);
    probe->fd = -1;
    if (error != 0) continue;
    const std::int64_t took = now - probe->since;
    sctp_ends_ = std::min(sctp_ends_, now + std::max(kRoundTrips * took, kAtLeastMs));
  }
}

void TcpBeside::close_all() {
  for (Probe& probe : probes_) {
    if (probe.fd >= 0) close_probe(system_, probe.fd);
    probe.fd = -1;
  }
}

}  // namespace px::bundle
