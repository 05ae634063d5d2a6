// SPDX-License-Identifier: MIT
#include "preload/datagrams/datagrams.h"

#include <netinet/in.h>

#include <bit>
#include <cerrno>
#include <climits>
#include <cstring>

#include "preload/process/program_memory.h"
#include "preload/sockets/kernel_socket.h"

namespace px::shim {
namespace {

constexpr std::uint32_t kLoopbackInterface = 1;  // its index in every network namespace

bool is_group(const bundle::Address& address) {
  return address.is_ipv4() ? address.bytes[12] >> 4 == 0xe : address.bytes[0] == 0xff;
}

// Nothing for destinations that the kernel refuses by itself. On AF_INET sockets it takes AF_UNSPEC
// for AF_INET.
std::optional<bundle::Endpoint> endpoint_for(const CallAddress& destination, const FdState& state) {
  if (destination.endpoint) {
    if (!state.ipv6 && !destination.endpoint->address.is_ipv4()) return std::nullopt;
    return destination.endpoint;
  }
  sockaddr_in ipv4;
  if (state.ipv6 || !destination.is_read || destination.family != AF_UNSPEC ||
      destination.length < sizeof ipv4) {
    return std::nullopt;
  }
  std::memcpy(&ipv4, destination.bytes, sizeof ipv4);
  ipv4.sin_family = AF_INET;
  return bundle::endpoint_from_sockaddr(reinterpret_cast<const sockaddr*>(&ipv4), sizeof ipv4);
}

// What sendmsg(2) makes of a name's length; sendto(2) refuses a longer one.
socklen_t name_length(const msghdr& message) {
  const bool too_long = message.msg_namelen > sizeof(sockaddr_storage);
  return too_long && message.msg_namelen <= INT_MAX ? sizeof(sockaddr_storage)
                                                    : message.msg_namelen;
}

bool has_device(const FdState& state) {
  return state.kind == FdKind::kDecided && state.interface != 0;
}

}  // namespace

bool Datagrams::concern(int fd) const {
  const FdState state = fds_.get(fd);
  if (is_left_alone(state)) return false;
  if (state.kind != FdKind::kUnknown && !state.datagram) return false;
  return !decider_.is_passthrough() || listen_mode() != plan::ListenMode::kSystem ||
         has_device(state);
}

std::uint32_t Datagrams::mark_mask() const {
  return value_of(plan_.latest(), &plan::Plan::mark_mask);
}

plan::ListenMode Datagrams::listen_mode() const {
  return value_of(plan_.in_force(), &plan::Plan::listen_mode);
}

Datagrams::Egress Datagrams::egress_of(int fd, const msghdr& message) {
  if (message.msg_name == nullptr) return {};
  const KeepErrno keep;
  const Sender sender{fd, state_of(system_, fds_, plan_, fd), fds_.notes(fd)};
  const FdState& state = sender.state;
  if (state.kind == FdKind::kUnknown) return unavailable();
  if (is_left_alone(state) || !state.datagram) return {};
  const auto* address = static_cast<const sockaddr*>(message.msg_name);
  const auto peer = endpoint_for(read_call_address(address, name_length(message)), state);
  if (!peer) return {};
  if (peer->port == 0 && state.transport == plan::Transport::kUdp) return {};
  const bool named = has_packet_info(message);
  if (sender.notes.group_chosen && is_group(peer->address)) return as_program_says(sender);
  const auto own = is_sourced(state) ? own_endpoint(system_, fd) : std::nullopt;
  if (is_sourced(state) && !own) return {};
  const plan::Call call{.destination = peer->address,
                        .port = peer->port,
                        .scope = peer->scope,
                        .transport = state.transport,
                        .source_fixed = false,
                        .source = own ? &own->address : nullptr};
  if (!named && redirecting_.may_concern(*peer)) {
    const auto [applies, server] = redirecting_.redirect(state, call.source, *peer, !state.ipv6);
    if (applies) return redirected(sender, call, server, *peer, message);
  }
  auto called = called_by(sender.notes, *peer);
  // A source of the program's own is not changed for an address that another socket was called at.
  if (own && called && called->address != own->address) called.reset();
  if (named && !(called && may_add_to(message, *called))) return as_program_says(sender);
  if (called) return answer(sender, call, *called);
  if (call.destination.is_loopback_or_unspecified()) {
    return has_device(state) ? unavailable() : Egress{};
  }
  return decide(sender, call);
}

Datagrams::Egress Datagrams::redirected(const Sender& sender, plan::Call call,
                                        const std::optional<bundle::Endpoint>& server,
                                        const bundle::Endpoint& asked, const msghdr& message) {
  if (!server) return unavailable();
  call.destination = server->address;
  call.port = server->port;
  call.scope = server->scope;
  Egress egress = decide(sender, call);
  if (egress.error != 0) return egress;
  Egress::Server& to = egress.server.emplace();
  const sa_family_t family = sender.state.ipv6 ? AF_INET6 : AF_INET;
  to.length = bundle::sockaddr_from_endpoint(*server, family, &to.address);
  const bool readable = can_read(message.msg_iov, message.msg_iovlen * sizeof *message.msg_iov);
  const std::size_t count = readable ? message.msg_iovlen : 0;
  QuestionNumber number;
  if (count > 0 && can_read(message.msg_iov->iov_base, message.msg_iov->iov_len)) {
    number = question_number({message.msg_iov, 1}, message.msg_iov->iov_len);
  }
  redirecting_.note(sender.fd, *server, asked, number);
  return egress;
}

// A program that names the address that was called, and no other interface, leaves the interface to
// `listen`.
bool Datagrams::may_add_to(const msghdr& message, const PacketInfo& called) const {
  const auto named = sent_packet_info(message);
  if (!named || named->address != called.address) return false;
  const plan::ListenMode mode = listen_mode();
  if (mode == plan::ListenMode::kSystem) return false;
  return named->interface == 0 ||
         (mode == plan::ListenMode::kReceivedInterface && named->interface == called.interface);
}

Datagrams::Egress Datagrams::as_program_says(const Sender& sender) {
  return choose_next_hop(sender, 0) ? Egress{} : unavailable();
}

std::optional<PacketInfo> Datagrams::called_by(const FdNotes& notes,
                                               const bundle::Endpoint& peer) const {
  const bool listens = listen_mode() != plan::ListenMode::kSystem;
  if (!notes.watched && !listens) return std::nullopt;
  const std::uint32_t now = LocalAddressCache::now();
  const auto here =
      notes.watched ? local_addresses_.find(notes.generation, peer, now) : std::nullopt;
  if (here || !listens) return here;
  return local_addresses_.find(LocalAddressCache::kAnySocket, peer, now);
}

std::optional<PacketInfo> Datagrams::answer_by(const plan::Call& call,
                                               const PacketInfo& called) const {
  PacketInfo wanted = called;
  if (listen_mode() == plan::ListenMode::kReceivedSource) {
    const auto plan = plan_.in_force();
    const auto entry = plan ? plan->listen_entry(call) : std::nullopt;
    if (!entry) return std::nullopt;
    wanted.interface = entry->interface_index;
  }
  return wanted;
}

bool Datagrams::may_answer(int fd) const {
  const FdState state = fds_.get(fd);
  const bool datagram = state.kind == FdKind::kUnknown || state.datagram;
  return datagram && !is_left_alone(state) && listen_mode() != plan::ListenMode::kSystem;
}

std::optional<Datagrams::Answer> Datagrams::answer_to(int fd, const CallAddress& peer) const {
  if (!peer.endpoint || !may_answer(fd)) return std::nullopt;
  const KeepErrno keep;
  const auto called = called_by(fds_.notes(fd), *peer.endpoint);
  if (!called || called->interface == kLoopbackInterface) return std::nullopt;
  // Interface 0: there is none, and so the connect fails.
  const Answer none{.by = {.address = called->address, .interface = 0}};
  if (!session_.ensure_session()) return none;
  const plan::Call call{.destination = peer.endpoint->address,
                        .port = peer.endpoint->port,
                        .scope = peer.endpoint->scope,
                        .transport = plan::Transport::kUdp};
  const auto by = answer_by(call, *called);
  if (!by) return none;
  return Answer{.by = *by, .mark = value_of(plan_.in_force(), &plan::Plan::listen_mark)};
}

Datagrams::Egress Datagrams::answer(const Sender& sender, const plan::Call& call,
                                    const PacketInfo& called) {
  const bool inside = called.interface == kLoopbackInterface || call.destination.is_loopback();
  if (inside) return {.error = 0, .info = PacketInfo{.address = called.address, .interface = 0}};
  if (!session_.ensure_session()) return unavailable();
  const plan::ListenMode mode = listen_mode();
  if (mode == plan::ListenMode::kSystem) {
    const plan::Verdict verdict = decider_.decide(call);
    if (verdict.action == plan::Action::kVia) {
      // A call to a group is to no address of this host.
      const bool own = !called.address.is_unspecified();
      return via(sender, call, verdict.entry, own ? &called.address : nullptr);
    }
    if (verdict.action != plan::Action::kSystem) return decide(sender, call);
    if (!choose_next_hop(sender, 0)) return unavailable();
    counters_.count(&plan::Counters::system);
    return {.error = 0, .info = PacketInfo{.address = called.address, .interface = 0}};
  }
  const auto wanted = answer_by(call, called);
  if (!wanted) return unavailable();
  // Another interface than the device is EINVAL on IPv6.
  const bool elsewhere = has_device(sender.state) && sender.state.interface != wanted->interface;
  if ((elsewhere && !call.destination.is_ipv4()) ||
      !choose_next_hop(sender, value_of(plan_.in_force(), &plan::Plan::listen_mark))) {
    return unavailable();
  }
  counters_.count(&plan::Counters::routed);
  return {.error = 0, .info = *wanted};
}

Datagrams::Egress Datagrams::decide(const Sender& sender, const plan::Call& call) {
  const plan::Verdict verdict = decider_.decide(call);
  // The source is the program's choice, and not of the rule's entries.
  if (call.source != nullptr && verdict.action != plan::Action::kVia) return unsteered(sender);
  switch (verdict.action) {
    case plan::Action::kSystem:
      return unsteered(sender);
    case plan::Action::kRefuse:
      counters_.count(&plan::Counters::refused);
      return {.error = EACCES, .info = std::nullopt};
    case plan::Action::kFail:
      return unavailable();
    case plan::Action::kVia:
      break;
  }
  return via(sender, call, verdict.entry, nullptr);
}

Datagrams::Egress Datagrams::via(const Sender& sender, const plan::Call& call,
                                 const plan::Entry& entry, const bundle::Address* called) {
  if (!choose_next_hop(sender, entry.mark)) return unavailable();
  const bool same_device =
      has_device(sender.state) && sender.state.interface == entry.interface_index;
  if (same_device && called == nullptr &&
      (sender.state.source_fixed || sender.state.source == source_digest(entry.source))) {
    counters_.count(&plan::Counters::routed);
    return {};
  }
  const PacketInfo wanted{.address = called != nullptr ? *called : entry.source,
                          .interface = entry.interface_index};
  std::optional<PacketInfo> info;
  constexpr std::uint32_t kKernelsOwn = plan::kEntryKernelSource | plan::kEntryAnySource;
  const bool kernels_own = called == nullptr && (entry.flags & kKernelsOwn) != 0 &&
                           (entry.flags & plan::kEntryRoutedBySource) == 0;
  if (entry.mark != 0) {
    info = wanted;  // the mark's table has one route, by that interface
  } else if (kernels_own && !call.destination.is_ipv4() && !same_device && !connected(sender)) {
    info = PacketInfo{.address = {}, .interface = entry.interface_index};
  } else {
    info = info_for(sender, call.destination, wanted);
  }
  if (!info && called != nullptr && listen_mode() == plan::ListenMode::kSystem) {
    // The rule's interface is the policy's word, the address only a better answer.
    return via(sender, call, entry, nullptr);
  }
  if (!info && call.source != nullptr) return unsteered(sender);
  if (!info) return unavailable();
  counters_.count(&plan::Counters::routed);
  return {.error = 0, .info = info};
}

// Control data cannot take a device away for one datagram.
Datagrams::Egress Datagrams::unsteered(const Sender& sender) {
  if (has_device(sender.state) || !choose_next_hop(sender, 0)) return unavailable();
  counters_.count(&plan::Counters::system);
  return {};
}

// A socket has one mark at a time, which only the broker can change. The kernel is asked for the
// mark where the plan has marks at all.
bool Datagrams::choose_next_hop(const Sender& sender, std::uint32_t mark) {
  const std::uint32_t mask = mark_mask();
  if (mask == 0) return mark == 0;
  if ((marker_.mark_of(sender.fd) & mask) == mark) return true;
  return marker_.set(sender.fd, mark);
}

Datagrams::Egress Datagrams::unavailable() {
  counters_.count(&plan::Counters::unavailable);
  return {.error = ENETUNREACH, .info = std::nullopt};
}

// The control data that make the datagram leave by exactly this interface from exactly this
// address. IPv4 takes both at their word. IPv6 with both looks for a route without regard to the
// interface, unless the destination is link-local or a group or the socket has a device; with the
// interface alone, it keeps to that. So the source is left out where the kernel would choose it by
// itself.
std::optional<PacketInfo> Datagrams::info_for(const Sender& sender,
                                              const bundle::Address& destination,
                                              const PacketInfo& wanted) {
  if (destination.is_ipv4() || wanted.interface == 0) return wanted;
  if (has_device(sender.state)) {
    // Another interface than the device is EINVAL.
    if (sender.state.interface != wanted.interface) return std::nullopt;
    return wanted;
  }
  if (destination.is_link_local() || is_group(destination)) return wanted;
  if (!connected(sender)) {
    if (wanted.address.is_unspecified()) return wanted;
    if (kernel_chooses(destination, wanted)) {
      return PacketInfo{.address = {}, .interface = wanted.interface};
    }
  }
  const auto route = probe_(destination, wanted.address, wanted.interface);
  if (!route || route->interface != wanted.interface) return std::nullopt;
  return wanted;
}

// A bound or connected IPv6 socket has a source that control data without one leaves in place.
bool Datagrams::connected(const Sender& sender) const {
  if (is_sourced(sender.state)) return true;
  const bool remembered = fds_.get(sender.fd).kind != FdKind::kUnknown;
  return remembered ? sender.notes.connected : is_connected(system_, sender.fd);
}

// That the kernel did once is remembered as long as the plan stands; should the routing have
// changed since, the interface is right all the same.
bool Datagrams::kernel_chooses(const bundle::Address& destination, const PacketInfo& wanted) {
  constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;  // 2^64 divided by the golden ratio
  std::uint64_t digest = value_of(plan_.latest(), &plan::Plan::generation) << 32 | wanted.interface;
  for (const auto& address : {destination, wanted.address}) {
    for (const std::uint64_t half : std::bit_cast<std::array<std::uint64_t, 2>>(address.bytes)) {
      digest = (std::rotl(digest, 29) ^ half) * kOdd;
    }
  }
  auto& remembered = choices_[digest >> 56];
  if (digest != 0 && remembered.load(std::memory_order_relaxed) == digest) return true;
  const auto route = probe_(destination, {}, wanted.interface);
  if (!route || route->interface != wanted.interface || route->source != wanted.address) {
    return false;
  }
  remembered.store(digest, std::memory_order_relaxed);
  return true;
}

}  // namespace px::shim
