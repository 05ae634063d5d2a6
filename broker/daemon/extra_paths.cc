// SPDX-License-Identifier: MIT
// What the daemon answers to programs that ask for further paths of a connection (PB-4).
#include "broker/daemon/extra_paths.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include "broker/daemon/daemon.h"
#include "broker/daemon/host.h"
#include "broker/routing/program_socket.h"
#include "broker/routing/sctp_socket.h"
#include "util/clock.h"

namespace px::broker {
namespace {

Rejection no_paths(std::string reason) {
  return {plan::RefusalCode::kNoExtraPaths, std::move(reason)};
}

int protocol_of(const Fd& socket) {
  int protocol = -1;
  socklen_t length = sizeof protocol;
  return getsockopt(socket.get(), SOL_SOCKET, SO_PROTOCOL, &protocol, &length) == 0 ? protocol : -1;
}

std::vector<bundle::Endpoint> members_of(const plan::ExtraPaths& paths) {
  std::vector<bundle::Endpoint> members;
  for (std::size_t i = 0; i < paths.count; ++i) {
    members.push_back({paths.members[i].address, paths.port, paths.members[i].scope});
  }
  return members;
}

std::vector<MemberEgress> ways_of(const plan::Plan& plan,
                                  const std::vector<bundle::Endpoint>& members) {
  std::vector<MemberEgress> ways;
  for (const bundle::Endpoint& member : members) {
    if (auto way = egress_of(plan, member)) ways.push_back(std::move(*way));
  }
  return ways;
}

}  // namespace

std::optional<MemberEgress> egress_of(const plan::Plan& plan, const bundle::Endpoint& member) {
  if (member.address.is_loopback() || member.address.is_unspecified()) return std::nullopt;
  const plan::Verdict verdict =
      plan.decide({member.address, member.port, member.scope}, monotonic_ms());
  if (verdict.action == plan::Action::kVia) return MemberEgress{member, verdict.entry};
  if (verdict.action == plan::Action::kSystem) return MemberEgress{member, std::nullopt};
  return std::nullopt;
}

tl::expected<void, Rejection> Daemon::paths(const Peer& peer, const plan::ExtraPaths& paths,
                                            const Fd& socket) {
  sessions_.forget_ended(peer.pid);
  const Session* session = sessions_.find(peer.pid);
  const PlanFile* plan =
      session == nullptr ? nullptr : publisher_->find(session->assignment.profile);
  if (plan == nullptr) {
    return tl::make_unexpected(
        Rejection{plan::RefusalCode::kNotAllowed, "the process has not said hello"});
  }
  if (const auto checked = check_socket(socket.get(), network_namespace_); !checked) {
    return tl::make_unexpected(no_paths(checked.error().message));
  }
  if (protocol_of(socket) == IPPROTO_MPTCP) {
    SubflowWish wish{session->uid, session->assignment.profile, 0, members_of(paths)};
    const auto added = subflows_->add(socket, std::move(wish), routing_->mask());
    if (!added) return tl::make_unexpected(no_paths(added.error().message));
    return {};
  }
  if (is_sctp(socket.get())) {
    // Rules are about the ports of this one.
    if (network_namespace_ == 0) {
      return tl::make_unexpected(no_paths("this kernel does not tell network namespaces apart"));
    }
    const auto ways = ways_of(plan->plan(), members_of(paths));
    if (ways.empty()) return tl::make_unexpected(no_paths("the plan lets it reach none of them"));
    return give_routes(session->uid, ways, socket);
  }
  return tl::make_unexpected(no_paths("the socket is of no protocol with several paths"));
}

}  // namespace px::broker
