// SPDX-License-Identifier: MIT
#include "preload/streams/connector.h"

#include <netinet/in.h>

#include <cerrno>

#include "libbundle/core/socket_option.h"
#include "preload/sockets/kernel_socket.h"

namespace px::shim {
namespace {

// An IPv6 link-local address can only be bound together with its device, which bind then takes.
bool source_names_device(const plan::Entry& entry) {
  return !entry.source.is_ipv4() && entry.source.is_link_local();
}

// Nothing of a device that is left to the mark.
std::uint32_t device_index(const plan::Entry& entry, bool without_device) {
  return without_device ? 0 : entry.interface_index;
}

// Whether a socket of this kind takes a destination of this family at all; the kernel says EINVAL
// or EAFNOSUPPORT to the others.
bool takes_family(const FdState& state, sa_family_t family) {
  if (state.ipv6) return family == AF_INET6 || state.datagram;
  return family == AF_INET;
}

}  // namespace

bool Connector::prepare(int fd, const CallAddress& destination, By by) {
  if (!destination.endpoint) return true;
  if (destination.endpoint->address.is_loopback_or_unspecified()) {
    if (release(fd, fds_.get(fd))) return true;
    counters_.count(&plan::Counters::unavailable);
    errno = ENETUNREACH;
    return false;
  }
  if (decider_.is_passthrough()) {
    // Under another profile, or another policy, it may have been sent elsewhere.
    if (release(fd, fds_.get(fd))) return true;
    errno = ENETUNREACH;
    return false;
  }
  const int errno_before = errno;
  std::optional<Errno> failure = attempt(fd, destination, by);
  if (!failure) failure = attempt(fd, destination, by);
  const Errno error = failure.value_or(ENETUNREACH);
  errno = error == 0 ? errno_before : error;
  if (error == ENETUNREACH) counters_.count(&plan::Counters::unavailable);
  return error == 0;
}

// A socket that is dissolved has no peer, so it is not before another socket shows that it could go
// there: until the broker has seen that the device is gone, the plan names it still.
bool Connector::reconnect(int fd, const CallAddress& peer) {
  if (!peer.endpoint || !can_reach(fd, fds_.get(fd), peer)) return false;
  return prepare(fd, peer, By::kConnect) && system_.connect(fd, peer.bytes, peer.length) == 0;
}

bool Connector::can_reach(int socket, const FdState& state, const CallAddress& peer) {
  const plan::Verdict verdict = decide(socket, state, peer);
  if (verdict.action != plan::Action::kVia && verdict.action != plan::Action::kSystem) return false;
  const plan::Entry& entry = verdict.entry;
  const bool steered = verdict.action == plan::Action::kVia;
  const int fd = system_.socket(state.ipv6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const bool chosen = !steered || ((is_source_fixed(state) || bind_source(fd, state, entry)) &&
                                   take_device(fd, entry));
  // A next hop of its own is reached by a mark, which this socket has not.
  const bool marked = steered && entry.mark != 0;
  const bool reached = chosen && (marked || system_.connect(fd, peer.bytes, peer.length) == 0);
  (void)system_.close(fd);
  return reached;
}

plan::Verdict Connector::decide(int fd, const FdState& state, const CallAddress& destination) {
  const bundle::Endpoint& endpoint = *destination.endpoint;
  const auto own = is_sourced(state) ? own_endpoint(system_, fd) : std::nullopt;
  // Which source it is may not be asked: a filter of system calls.
  if (is_sourced(state) && !own) return {};
  return decider_.decide({.destination = endpoint.address,
                          .port = endpoint.port,
                          .scope = endpoint.scope,
                          .transport = state.transport,
                          .source_fixed = is_source_fixed(state),
                          .source = own ? &own->address : nullptr});
}

void Connector::dissolved(int fd) {
  FdState state = fds_.get(fd);
  const bool chosen = state.kind == FdKind::kDecided || state.kind == FdKind::kReleased;
  if (!chosen || !state.datagram) return;
  const KeepErrno keep;
  if (!undo(fd, &state)) fds_.forget(fd);
}

// What is unsteered must not leave by a device that px chose for the destination before, nor from
// the source of an unsteered destination of before. From a stream only the privileged can take the
// device back.
bool Connector::release(int fd, FdState state) {
  const KeepErrno keep;
  if (state.kind == FdKind::kReleased) return undo(fd, &state);
  if (state.kind != FdKind::kDecided) {
    return !state.datagram || decider_.is_passthrough() || choose_next_hop(fd, state, 0);
  }
  if (state.datagram) return undo(fd, &state);
  if (state.transport == plan::Transport::kTcp && !tcp_is_closed(system_, fd)) return true;
  if (!choose_next_hop(fd, state, 0)) return false;
  if (state.interface == 0) return true;
  if (system_.setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "", 0) != 0) return false;
  state.interface = 0;
  if (state.source_fixed) state.kind = FdKind::kPortBound;
  if (state.sourced) state.kind = FdKind::kSourced;
  state.source_fixed = state.sourced = false;
  fds_.set(fd, state);
  return true;
}

// Puts a datagram socket back as it was before px decided: dissolving it takes the device away and,
// where the program chose no port, lets it be bound once more. It stays different in one thing: the
// next source that it gets from the kernel survives a dissolve.
bool Connector::undo(int fd, FdState* state) {
  dissolve(system_, fd);
  if (!choose_next_hop(fd, *state, 0)) return false;
  if (!state->source_fixed && !state->sourced) {
    sockaddr_storage any;
    const bundle::Endpoint nowhere{.address = state->ipv6 ? plan::Address{}
                                                          : bundle::ipv4_address(INADDR_ANY)};
    const socklen_t length =
        bundle::sockaddr_from_endpoint(nowhere, state->ipv6 ? AF_INET6 : AF_INET, &any);
    if (system_.bind(fd, reinterpret_cast<const sockaddr*>(&any), length) != 0) return false;
  }
  state->kind = state->sourced ? FdKind::kSourced : FdKind::kReleased;
  state->sourced = false;
  state->source = 0;
  state->interface = 0;
  fds_.set(fd, *state);
  return true;
}

std::optional<Connector::Errno> Connector::attempt(int fd, const CallAddress& destination, By by) {
  const FdState state = state_of(system_, fds_, plan_, fd);
  if (state.kind == FdKind::kUnknown) return ENETUNREACH;
  if (is_left_alone(state)) return 0;
  if (!takes_family(state, destination.family)) return 0;
  if (by == By::kFastOpen && state.transport != plan::Transport::kTcp) return 0;
  const plan::Verdict verdict = decide(fd, state, destination);
  // The source stays the program's, whatever a rule says of other sources.
  const bool own = is_sourced(state) && verdict.action != plan::Action::kVia;
  if (own) return state.kind != FdKind::kDecided || release(fd, state) ? 0 : ENETUNREACH;
  switch (verdict.action) {
    case plan::Action::kSystem:
      if (!release(fd, state)) return ENETUNREACH;
      counters_.count(&plan::Counters::system);
      return 0;
    case plan::Action::kRefuse:
      counters_.count(&plan::Counters::refused);
      return EACCES;
    case plan::Action::kFail:
      return ENETUNREACH;
    case plan::Action::kVia:
      break;
  }
  const auto error = send_via(fd, state, verdict.entry);
  if (error == 0) counters_.count(&plan::Counters::routed);
  return error;
}

std::optional<Connector::Errno> Connector::send_via(int fd, const FdState& state,
                                                    const plan::Entry& entry) {
  if (state.kind == FdKind::kDecided) return decide_again(fd, state, entry);
  FdState decided = state;
  if (is_unbound(state)) {
    const auto error = choose_source(fd, state, entry);
    if (error != 0) return error;
    decided.source = source_digest(entry.source);
    given_.remember(entry.source, entry.mark);
  } else if (state.transport == plan::Transport::kTcp && !tcp_is_closed(system_, fd)) {
    return 0;  // connected before there was a rule: EISCONN is the kernel's to say
  }
  if (is_sourced(state)) decided.source = source_digest(entry.source);
  decided.source_fixed = is_source_fixed(state);
  decided.sourced = is_sourced(state);
  decided.kind = FdKind::kDecided;
  const bool by_mark = goes_by_mark(fd, state, entry);
  const bool chosen = by_mark || choose_device(fd, state, entry);
  decided.interface = chosen ? device_index(entry, by_mark) : 0;
  // A bound socket without a device has not been changed.
  if (chosen || is_unbound(state)) fds_.set(fd, decided);
  return chosen && choose_next_hop(fd, state, entry.mark) ? 0 : ENETUNREACH;
}

// A later connect on a socket that px sent somewhere before. The kernel is asked whether the socket
// still has its device: connecting to AF_UNSPEC takes the device of a datagram socket away, in any
// process that shares it, and libc makes some sockets without the hooks.
std::optional<Connector::Errno> Connector::decide_again(int fd, FdState state,
                                                        const plan::Entry& entry) {
  const bool same_source = state.source_fixed || state.source == source_digest(entry.source);
  const bool by_mark = goes_by_mark(fd, state, entry);
  const std::uint32_t wanted = device_index(entry, by_mark);
  const Device device = device_of(system_, fd, entry.interface);
  const bool same_device =
      state.interface == wanted && device == (by_mark ? Device::kNone : Device::kThis);
  if (same_device && same_source) {
    return choose_next_hop(fd, state, entry.mark) ? 0 : ENETUNREACH;
  }
  if (state.datagram) return undo(fd, &state) ? send_via(fd, state, entry) : ENETUNREACH;
  if (state.transport == plan::Transport::kTcp && !tcp_is_closed(system_, fd)) return 0;
  if (state.interface == 0 && same_source && !by_mark && choose_device(fd, state, entry)) {
    state.interface = wanted;
    fds_.set(fd, state);
    return choose_next_hop(fd, state, entry.mark) ? 0 : ENETUNREACH;
  }
  if (state.interface == 0 || device != Device::kNone) return ENETUNREACH;
  fds_.forget(fd);
  return std::nullopt;
}

// bind comes before the device: on a socket that was bound or connected behind the hooks it fails
// without harm, and a device cannot be taken back without privilege.
std::optional<Connector::Errno> Connector::choose_source(int fd, const FdState& state,
                                                         const plan::Entry& entry) {
  if (state.kind == FdKind::kReleased && is_connected(system_, fd)) dissolve(system_, fd);
  const bool has_ports =
      state.transport == plan::Transport::kTcp || state.transport == plan::Transport::kUdp;
  // A filter of system calls may kill for this one, which programs do not set.
  const bool filtered = decider_.calls_are_filtered();
  if (has_ports && !filtered) {
    // Without it (MPTCP before Linux 6.8) bind takes a port that connect would have shared.
    (void)set_int_option(system_, fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
  }
  if (bind_source(fd, state, entry)) return 0;
  if (errno == EADDRNOTAVAIL || errno == ENODEV) return ENETUNREACH;
  // Not unbound, as was thought: a datagram socket that was connected unsteered, an alias of a
  // bound one, or another socket or file altogether.
  if (state.datagram && is_connected(system_, fd)) {
    // The kernel is asked next whether the source that is left is px's: it was not.
    if (fds_.get(fd).kind == FdKind::kUnknown && state.kind == FdKind::kFresh && !filtered) {
      (void)set_int_option(system_, fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 0);
    }
    dissolve(system_, fd);
  }
  fds_.forget(fd);
  return std::nullopt;
}

bool Connector::bind_source(int fd, const FdState& state, const plan::Entry& entry) {
  sockaddr_storage source;
  const bundle::Endpoint endpoint{.address = entry.source,
                                  .scope = source_names_device(entry) ? entry.interface_index : 0};
  const socklen_t length =
      bundle::sockaddr_from_endpoint(endpoint, state.ipv6 ? AF_INET6 : AF_INET, &source);
  if (length != 0) return system_.bind(fd, reinterpret_cast<const sockaddr*>(&source), length) == 0;
  errno = EADDRNOTAVAIL;
  return false;
}

bool Connector::take_device(int fd, const plan::Entry& entry) {
  return system_.setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, entry.interface,
                            sizeof entry.interface) == 0;
}

// The kernel gives SCTP's packets no mark: they need the device.
bool Connector::goes_by_mark(int fd, const FdState& state, const plan::Entry& entry) const {
  if ((entry.flags & plan::kEntryNoDevice) == 0) return false;
  return state.no_sctp ||
         int_option(system_, fd, SOL_SOCKET, SO_PROTOCOL).value_or(0) != IPPROTO_SCTP;
}

bool Connector::choose_device(int fd, const FdState& state, const plan::Entry& entry) {
  if (!is_source_fixed(state) && source_names_device(entry)) return true;
  // Once connected, a datagram socket keeps the source it was given then.
  if (is_source_fixed(state) && state.datagram && is_connected(system_, fd)) {
    dissolve(system_, fd);
  }
  return take_device(fd, entry);
}

// A stream that was fresh has no mark. Which one another has, the kernel knows: a datagram may have
// been sent through it.
bool Connector::choose_next_hop(int fd, const FdState& state, std::uint32_t mark) {
  const bool unmarked = state.kind != FdKind::kDecided && !state.datagram;
  if (unmarked && mark == 0) return true;
  const std::uint32_t mask = value_of(plan_.latest(), &plan::Plan::mark_mask);
  if (!unmarked) {
    if (mask == 0 || (marker_.mark_of(fd) & mask) == mark) return true;
    // A connected stream keeps its egress: EISCONN is the kernel's to say.
    if (state.transport == plan::Transport::kTcp && !tcp_is_closed(system_, fd)) return true;
  }
  return marker_.set(fd, mark);
}

}  // namespace px::shim
