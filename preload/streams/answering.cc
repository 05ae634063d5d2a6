// SPDX-License-Identifier: MIT
// Connector::prepare_answer(), and what it alone needs.
#include <netinet/in.h>

#include <cerrno>

#include "libbundle/core/socket_option.h"
#include "preload/sockets/kernel_socket.h"
#include "preload/streams/connector.h"

namespace px::shim {

bool Connector::prepare_answer(int fd, const CallAddress& peer, const Answer& answer) {
  FdState state = state_of(system_, fds_, plan_, fd);
  const bool own_source = is_sourced(state);
  const auto own = own_source ? own_endpoint(system_, fd) : std::nullopt;
  if (is_left_alone(state) || state.transport != plan::Transport::kUdp ||
      (own_source && (!own || own->address != answer.source))) {
    return prepare(fd, peer, By::kConnect);
  }
  bool ready = false;
  {
    const KeepErrno keep;
    const bool chosen = state.kind == FdKind::kDecided || state.kind == FdKind::kReleased;
    if (!chosen && !own_source && is_connected(system_, fd)) dissolve(system_, fd);
    ready = answer.interface != 0 && (!chosen || undo(fd, &state));
    bool taken = ready && take_source(fd, state, peer, answer);
    if (ready && !taken && is_unbound(state)) {
      // Not unbound, as was thought: something was sent through it.
      fds_.forget(fd);
      state = state_of(system_, fds_, plan_, fd);
      taken = is_source_fixed(state) && take_source(fd, state, peer, answer);
    }
    ready = taken && choose_next_hop(fd, state, answer.mark);
  }
  counters_.count(ready ? &plan::Counters::routed : &plan::Counters::unavailable);
  if (!ready) errno = ENETUNREACH;
  return ready;
}

// A socket that is bound to a port takes no source any more; but the one that it gets for a first
// peer, here the source itself, it keeps for the next. That comes before the device, behind which
// the host's own addresses are not reached.
bool Connector::take_source(int fd, const FdState& state, const CallAddress& peer,
                            const Answer& answer) {
  // A call to a group was to no address of this host.
  const bool any = answer.source.is_unspecified();
  // An IPv6 link-local address brings its device with it.
  const bool local = !answer.source.is_ipv4() && answer.source.is_link_local();
  const bundle::Endpoint source{
      .address = answer.source,
      .port = is_source_fixed(state) ? peer.endpoint->port : std::uint16_t{0},
      .scope = local ? answer.interface : 0};
  sockaddr_storage storage;
  const auto* address = reinterpret_cast<const sockaddr*>(&storage);
  const socklen_t length =
      bundle::sockaddr_from_endpoint(source, state.ipv6 ? AF_INET6 : AF_INET, &storage);
  if (length == 0) return false;
  if (is_source_fixed(state)) {
    if (!any && system_.connect(fd, address, length) != 0) return false;
  } else if (!any && !is_sourced(state)) {
    if (!decider_.calls_are_filtered()) {
      (void)set_int_option(system_, fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
    }
    if (system_.bind(fd, address, length) != 0) return false;
  }
  FdState decided = state;
  decided.kind = FdKind::kDecided;
  decided.source = source_digest(answer.source);
  decided.source_fixed = is_source_fixed(state);
  decided.sourced = is_sourced(state);
  decided.interface = 0;
  const bool taken = local || set_int_option(system_, fd, SOL_SOCKET, SO_BINDTOIFINDEX,
                                             static_cast<int>(answer.interface));
  if (taken && !local) decided.interface = answer.interface;
  if (taken || is_unbound(state)) fds_.set(fd, decided);
  return taken;
}

}  // namespace px::shim
