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

// The source that the socket is bound to was px's choice before.
bool follow_source(const SystemCalls& system, const std::optional<plan::Plan>& plan, Marker& marker,
                   const GivenSources& given, int fd) {
  const auto own = own_endpoint(system, fd);
  const auto mark = own ? given.mark_of(own->address) : std::nullopt;
  const auto entry = plan && mark ? plan->entry_with(own->address, *mark) : std::nullopt;
  if (!entry) return true;
  return system.setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, entry->interface,
                           sizeof entry->interface) == 0 &&
         (*mark == 0 || marker.set(fd, *mark));
}

}  // namespace

bool prepare_listen(const SystemCalls& system, const CurrentPlan& plan, BrokerSession& session,
                    Marker& marker, const GivenSources& given, int fd) {
  const bool unmarked = marks_no_listener(plan, session);
  if (unmarked && given.empty()) return true;
  bool ready = false;
  {
    const KeepErrno keep;
    ready = !is_reached_from_outside(system, fd);
    if (!ready) {
      ready = unmarked || (session.ensure_session() && mark(plan.in_force(), marker, fd));
      const bool listens = value_of(plan.in_force(), &plan::Plan::listen_mark) != 0;
      if (ready && !listens) ready = follow_source(system, plan.in_force(), marker, given, fd);
    }
  }
  if (!ready) errno = ENETUNREACH;
  return ready;
}

}  // namespace px::shim
