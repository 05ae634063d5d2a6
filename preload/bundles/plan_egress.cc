// SPDX-License-Identifier: MIT
#include "preload/bundles/plan_egress.h"

#include <algorithm>
#include <cerrno>

#include "libbundle/connect/mirror.h"
#include "libbundle/core/socket_option.h"
#include "preload/session/extra_paths_request.h"
#include "preload/sockets/call_address.h"
#include "preload/sockets/kernel_socket.h"

namespace px::shim {
namespace {

// What is nearer than this answers before any stagger of use, and needs no memory.
constexpr std::int64_t kWorthTellingMs = 20;

bool is_ipv6(const SystemCalls& system, int fd) {
  return int_option(system, fd, SOL_SOCKET, SO_DOMAIN).value_or(AF_UNSPEC) == AF_INET6;
}

// Nothing for a socket that is bound to none.
std::optional<plan::Address> bound_source(const SystemCalls& system, int fd) {
  const auto endpoint = own_endpoint(system, fd);
  if (!endpoint || endpoint->port == 0) return std::nullopt;
  return endpoint->address;
}

}  // namespace

PlanEgress::PlanEgress(const SystemCalls& system, const Settings& settings, FdTable& fds,
                       const CurrentPlan& plan, Decider& decider, const MemberHealth& health,
                       Connector& connector, RoundTrips& round_trips, int own,
                       plan::HealthFact fact)
    : system_(system),
      settings_(settings),
      fds_(fds),
      decider_(decider),
      health_(health),
      connector_(connector),
      round_trips_(round_trips),
      own_(own),
      fact_(fact),
      state_(state_of(system, fds, plan, own)) {}

// A probe's number means nothing after it: the next socket of that number is the program's.
bundle::Errno PlanEgress::prepare(int fd, const bundle::Endpoint& member) {
  const bool probe = fd != own_;
  if (!probe) destination_ = member;
  if (is_own()) return probe ? bundle::mirror(system_, own_, fd) : 0;
  // A probe may be of the other family than the program's socket.
  const bool ipv6 = probe ? is_ipv6(system_, fd) : state_.ipv6;
  if (probe) {
    fds_.forget(fd);
    fds_.set(fd,
             {.kind = is_source_fixed(state_) ? FdKind::kPortBound : FdKind::kFresh, .ipv6 = ipv6});
  }
  const auto destination = call_address_of(member, ipv6 ? AF_INET6 : AF_INET);
  if (!destination) return EAFNOSUPPORT;
  const bool prepared = connector_.prepare(fd, *destination, By::kConnect);
  const bundle::Errno error = prepared ? 0 : errno;
  if (probe) fds_.forget(fd);
  return error;
}

bool PlanEgress::can_move(int, const bundle::Endpoint& from, const bundle::Endpoint& to) {
  if (is_own()) return true;
  const plan::Verdict first = verdict(from);
  const plan::Verdict then = verdict(to);
  // A socket that was not steered is not bound to anything either.
  if (first.action != plan::Action::kVia) return true;
  if (!honours(first.entry)) return false;
  if (then.action == plan::Action::kRefuse || then.action == plan::Action::kFail) return true;
  if (then.action == plan::Action::kSystem) return false;
  return first.entry.interface_index == then.entry.interface_index &&
         (is_source_fixed(state_) || first.entry.source == then.entry.source);
}

// The kernel gives SCTP's packets no mark.
bool PlanEgress::honours(const plan::Entry& entry) const {
  if (entry.mark == 0) return true;
  return int_option(system_, own_, SOL_SOCKET, SO_PROTOCOL).value_or(0) != IPPROTO_SCTP;
}

// The broker binds the socket itself. Where the broker could not go on from there, the socket has
// the source of the first member, and no device yet; where the socket was bound to something else
// by then, it has no egress at all.
bool PlanEgress::prepare_each(int fd, std::span<const bundle::Endpoint> members) {
  const bool bound_by_px =
      state_.kind == FdKind::kDecided && state_.interface == 0 && !state_.source_fixed;
  if (fd != own_ || (state_.kind != FdKind::kFresh && !bound_by_px)) return false;
  const bool taken = request_extra_paths(settings_, fd, members, PathAnswer::kAwaited);
  const auto source = bound_source(system_, fd);
  if (!taken && !source) return false;
  FdState bound = state_;
  bound.kind = FdKind::kDecided;
  bound.source = taken ? 0 : source_digest(*source);
  fds_.set(fd, bound);
  return taken;
}

bundle::Health PlanEgress::health(const bundle::Endpoint& member) {
  return health_.of(member, interface_of(member), fact_);
}

void PlanEgress::report(const bundle::Endpoint& member, bool alive) {
  health_.report(member, interface_of(member), fact_, {.alive = alive});
}

std::uint32_t PlanEgress::round_trip_ms(const bundle::Endpoint& member) {
  const std::uint32_t own = round_trips_.of(member);
  return own != 0 ? own : health_.round_trip_ms(member, interface_of(member));
}

void PlanEgress::answered(const bundle::Endpoint& member, std::int64_t after_ms) {
  round_trips_.add(member, after_ms);
  if (after_ms < kWorthTellingMs) return;
  const auto took =
      static_cast<std::uint16_t>(std::min<std::int64_t>(after_ms, plan::kMostRoundTripMs));
  const std::uint32_t interface_index = interface_of(member);
  const std::uint16_t told = health_.round_trip_ms(member, interface_index);
  if (told != 0 && took <= told + told / 2 && took >= told / 2) return;
  health_.report(member, interface_index, plan::HealthFact::kRoundTrip, {.round_trip_ms = took});
}

plan::Verdict PlanEgress::verdict(const bundle::Endpoint& member) {
  if (member.address.is_loopback_or_unspecified() || is_own() || decider_.is_passthrough()) {
    return {};
  }
  return decider_.decide({.destination = member.address,
                          .port = member.port,
                          .scope = member.scope,
                          .transport = plan::Transport::kTcp,
                          .source_fixed = is_source_fixed(state_)});
}

std::uint32_t PlanEgress::interface_of(const bundle::Endpoint& member) {
  const plan::Verdict found = verdict(member);
  return found.action == plan::Action::kVia ? found.entry.interface_index : 0;
}

}  // namespace px::shim
