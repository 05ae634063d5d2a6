// SPDX-License-Identifier: MIT
// What the daemon answers to programs that ask for further paths of a connection (PB-4).
#include <netinet/in.h>
#include <sys/socket.h>

#include "broker/daemon/daemon.h"
#include "broker/daemon/host.h"
#include "broker/routing/member_way.h"
#include "broker/routing/program_socket.h"

namespace px::broker {
namespace {

Rejection no_paths(std::string reason) {
  return {plan::RefusalCode::kNoPaths, std::move(reason)};
}

int protocol_of(const Fd& socket) {
  int protocol = -1;
  socklen_t length = sizeof protocol;
  return getsockopt(socket.get(), SOL_SOCKET, SO_PROTOCOL, &protocol, &length) == 0 ? protocol : -1;
}

// Of the members that the plan lets the program reach, the ways that it gives them.
std::vector<MemberWay> ways_of(const plan::Plan& plan, const plan::Paths& paths) {
  std::vector<MemberWay> ways;
  for (std::size_t i = 0; i < paths.count; ++i) {
    const auto& [address, scope] = paths.members[i];
    if (address.is_loopback() || address.is_unspecified()) continue;  // no network's
    const plan::Call call{address, paths.port, scope};
    const plan::Verdict verdict = plan.decide(call, monotonic_ms());
    if (verdict.action != plan::Action::kVia && verdict.action != plan::Action::kSystem) continue;
    ways.push_back({{address, paths.port, scope}, std::nullopt});
    if (verdict.action == plan::Action::kVia) ways.back().entry = verdict.entry;
  }
  return ways;
}

}  // namespace

tl::expected<void, Rejection> Daemon::paths(const Peer& peer, const plan::Paths& paths,
                                            const Fd& socket) {
  sessions_.forget_ended(peer.pid);
  const Session* session = sessions_.find(peer.pid);
  const PlanFile* plan = session == nullptr ? nullptr : publisher_->find(session->standing.profile);
  if (plan == nullptr) {
    return tl::make_unexpected(
        Rejection{plan::RefusalCode::kNotAllowed, "the process has not said hello"});
  }
  if (const auto checked = check_socket(socket.get(), network_namespace_); !checked) {
    return tl::make_unexpected(no_paths(checked.error().message));
  }
  const auto ways = ways_of(plan->plan(), paths);
  if (ways.empty()) return tl::make_unexpected(no_paths("the plan lets it reach none of them"));
  if (protocol_of(socket) == IPPROTO_MPTCP) {
    const auto added = subflows_->add(socket, peer.uid, ways, routing_->mask());
    if (!added) return tl::make_unexpected(no_paths(added.error().message));
    return {};
  }
  return tl::make_unexpected(no_paths("the socket is of no protocol with several paths"));
}

}  // namespace px::broker
