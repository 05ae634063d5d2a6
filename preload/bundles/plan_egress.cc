// SPDX-License-Identifier: MIT
#include "preload/bundles/plan_egress.h"

#include "libbundle/connect/mirror.h"
#include "preload/process/socket_option.h"
#include "preload/sockets/kernel_socket.h"

namespace px::shim {
namespace {

FdState state_of(const SystemCalls& system, const FdTable& fds, const PlanHolder& holder, int fd) {
  const FdState state = fds.get(fd);
  return state.kind != FdKind::kUnknown ? state : ask_kernel(system, fd, holder.mark_mask());
}

bool is_ipv6(const SystemCalls& system, int fd) {
  return int_option(system, fd, SOL_SOCKET, SO_DOMAIN).value_or(AF_UNSPEC) == AF_INET6;
}

// Nothing for a socket that is bound to none.
std::optional<plan::Address> bound_source(const SystemCalls& system, int fd) {
  sockaddr_storage storage{};
  auto* address = reinterpret_cast<sockaddr*>(&storage);
  socklen_t length = sizeof storage;
  if (system.getsockname(fd, address, &length) != 0) return std::nullopt;
  const auto endpoint = bundle::endpoint_from_sockaddr(address, length);
  if (!endpoint || endpoint->port == 0) return std::nullopt;
  return endpoint->address;
}

}  // namespace

PlanEgress::PlanEgress(const SystemCalls& system, FdTable& fds, PlanHolder& holder,
                       Connector& connector, int own)
    : system_(system),
      fds_(fds),
      holder_(holder),
      connector_(connector),
      own_(own),
      state_(state_of(system, fds, holder, own)) {}

bool PlanEgress::source_is_fixed() const {
  return state_.kind == FdKind::kPortBound || state_.source_fixed;
}

// A probe's number means nothing after it: what the program gets by that number is not a probe.
bundle::Errno PlanEgress::prepare(int fd, const bundle::Endpoint& member) {
  const bool probe = fd != own_;
  if (!probe) destination_ = member;
  if (probe && state_.kind == FdKind::kOwned) return bundle::mirror(system_, own_, fd);
  // A probe may be of the other family than the program's socket.
  const bool ipv6 = probe ? is_ipv6(system_, fd) : state_.ipv6;
  if (probe) {
    fds_.forget(fd);
    fds_.set(fd, {.kind = source_is_fixed() ? FdKind::kPortBound : FdKind::kFresh, .ipv6 = ipv6});
  }
  sockaddr_storage address;
  const socklen_t length =
      bundle::sockaddr_from_endpoint(member, ipv6 ? AF_INET6 : AF_INET, &address);
  if (length == 0) return EAFNOSUPPORT;
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  const bool prepared = connector_.prepare(fd, generic, length, By::kConnect);
  const bundle::Errno error = prepared ? 0 : errno;
  if (probe) fds_.forget(fd);
  return error;
}

bool PlanEgress::can_move(int, const bundle::Endpoint& from, const bundle::Endpoint& to) {
  if (state_.kind == FdKind::kOwned) return true;
  const plan::Verdict first = verdict(from);
  const plan::Verdict then = verdict(to);
  // What is not prepared is not bound to anything either.
  if (first.action != plan::Action::kVia) return true;
  if (!honours(first.entry)) return false;
  if (then.action == plan::Action::kRefuse || then.action == plan::Action::kFail) return true;
  if (then.action == plan::Action::kSystem) return false;
  return first.entry.interface_index == then.entry.interface_index &&
         (source_is_fixed() || first.entry.source == then.entry.source);
}

// The kernel gives SCTP's packets no mark.
bool PlanEgress::honours(const plan::Entry& entry) const {
  if (entry.mark == 0) return true;
  return int_option(system_, own_, SOL_SOCKET, SO_PROTOCOL).value_or(0) != IPPROTO_SCTP;
}

// The broker binds the socket itself. Where it then could not go on, the socket has the source of
// the first member, and no device yet; where it was bound by then to something else, no way at all.
bool PlanEgress::spread(int fd, std::span<const bundle::Endpoint> members) {
  const bool bound_by_px =
      state_.kind == FdKind::kDecided && state_.interface == 0 && !state_.source_fixed;
  if (fd != own_ || (state_.kind != FdKind::kFresh && !bound_by_px)) return false;
  const bool taken = holder_.ask_for_paths(fd, members, PathAnswer::kAwaited);
  const auto source = bound_source(system_, fd);
  if (!taken && !source) return false;
  FdState bound = state_;
  bound.kind = FdKind::kDecided;
  bound.source = taken ? 0 : source_digest(*source);
  fds_.set(fd, bound);
  return taken;
}

bundle::Health PlanEgress::health(const bundle::Endpoint& member) {
  return holder_.health(member, interface_of(member));
}

void PlanEgress::report(const bundle::Endpoint& member, bool alive) {
  holder_.report(member, interface_of(member), alive);
}

plan::Verdict PlanEgress::verdict(const bundle::Endpoint& member) {
  const bool inside = member.address.is_loopback() || member.address.is_unspecified();
  if (inside || state_.kind == FdKind::kOwned || holder_.says_nothing()) return {};
  return holder_.decide({.destination = member.address,
                         .port = member.port,
                         .scope = member.scope,
                         .transport = plan::Transport::kTcp,
                         .source_fixed = source_is_fixed()});
}

std::uint32_t PlanEgress::interface_of(const bundle::Endpoint& member) {
  const plan::Verdict way = verdict(member);
  return way.action == plan::Action::kVia ? way.entry.interface_index : 0;
}

}  // namespace px::shim
