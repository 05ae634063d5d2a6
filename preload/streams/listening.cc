// SPDX-License-Identifier: MIT
#include "preload/streams/listening.h"

#include <sys/socket.h>

#include <cerrno>
#include <optional>

#include "libbundle/core/socket_option.h"
#include "preload/sockets/kernel_socket.h"

namespace px::shim {
namespace {

bool is_internet_stream(const SystemCalls& system, int fd) {
  const int domain = int_option(system, fd, SOL_SOCKET, SO_DOMAIN).value_or(AF_UNSPEC);
  return (domain == AF_INET || domain == AF_INET6) &&
         int_option(system, fd, SOL_SOCKET, SO_TYPE).value_or(0) == SOCK_STREAM;
}

bool is_bound_to_loopback(const SystemCalls& system, int fd) {
  const auto endpoint = own_endpoint(system, fd);
  return endpoint && endpoint->address.is_loopback();
}

bool is_reached_from_outside(const SystemCalls& system, int fd) {
  return is_internet_stream(system, fd) && !is_bound_to_loopback(system, fd) &&
         device_of(system, fd, "") == Device::kNone;
}

// Whether it is known, without asking, that listening sockets get no mark.
bool marks_no_listener(const CurrentPlan& plan, const BrokerSession& session) {
  if (plan.is_retired()) return true;
  const auto latest = plan.latest();
  return latest && latest->listen_mark() == 0 && session.knows(*latest);
}

bool mark(const std::optional<plan::Plan>& plan, Marker& marker, int fd) {
  const std::uint32_t wanted = value_of(plan, &plan::Plan::listen_mark);
  const std::uint32_t mask = value_of(plan, &plan::Plan::mark_mask);
  if (wanted == 0) return true;
  const std::uint32_t present = marker.mark_of(fd);
  const bool programs_own = (present & ~mask) != 0;
  return programs_own || (present & mask) == wanted || marker.set_joined(fd, wanted);
}

}  // namespace

bool prepare_listen(const SystemCalls& system, const CurrentPlan& plan, BrokerSession& session,
                    Marker& marker, int fd) {
  if (marks_no_listener(plan, session)) return true;
  bool ready = false;
  {
    const KeepErrno keep;
    ready = !is_reached_from_outside(system, fd) ||
            (session.ensure_session() && mark(plan.in_force(), marker, fd));
  }
  if (!ready) errno = ENETUNREACH;
  return ready;
}

}  // namespace px::shim
