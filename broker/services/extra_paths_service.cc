// SPDX-License-Identifier: MIT
#include "broker/services/extra_paths_service.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <utility>
#include <vector>

#include "broker/mptcp/subflows.h"
#include "broker/publish/publisher.h"
#include "broker/routing/program_socket.h"
#include "broker/routing/routing.h"
#include "broker/routing/sctp_socket.h"
#include "broker/services/planned_egress.h"
#include "broker/services/sctp_port_routes.h"
#include "broker/sessions/session_table.h"
#include "util/socket_option.h"

namespace px::broker {
namespace {

std::vector<bundle::Endpoint> members_of(const plan::ExtraPaths& paths) {
  std::vector<bundle::Endpoint> members;
  for (std::size_t i = 0; i < paths.count; ++i) {
    members.push_back({paths.members[i].address, paths.port, paths.members[i].scope});
  }
  return members;
}

std::vector<MemberEgress> reachable(const plan::Plan& plan,
                                    const std::vector<bundle::Endpoint>& members) {
  std::vector<MemberEgress> egresses;
  for (const bundle::Endpoint& member : members) {
    if (auto egress = planned_egress(plan, member)) egresses.push_back(std::move(*egress));
  }
  return egresses;
}

}  // namespace

void ExtraPathsService::register_with(Dispatcher& dispatcher) {
  dispatcher.add(plan::MessageType::kExtraPaths, Brings::kOne,
                 [this](const Peer& peer, const Message& message) {
                   const auto parsed = plan::parse<plan::ExtraPaths>(message.packet);
                   return parsed ? give(peer, *parsed, message.descriptor) : no_answer();
                 });
}

Answer ExtraPathsService::give(const Peer& peer, const plan::ExtraPaths& paths, const Fd& socket) {
  const Session* session = parts_.sessions.find_connected(peer.pid);
  const PlanFile* plan =
      session == nullptr ? nullptr : parts_.publisher.find(session->assignment.profile);
  if (plan == nullptr) {
    return refusal({plan::RefusalCode::kNotAllowed, "the process has not said hello"});
  }
  const auto given = give(*session, plan->plan(), paths, socket);
  if (!given) return refusal({plan::RefusalCode::kNoExtraPaths, given.error().message});
  return acknowledgement(plan::MessageType::kExtraPathsTaken);
}

Expected<void> ExtraPathsService::give(const Session& session, const plan::Plan& plan,
                                       const plan::ExtraPaths& paths, const Fd& socket) {
  const std::uint64_t network_namespace = parts_.network_namespace.cookie();
  PX_TRY(check_socket(socket.get(), network_namespace));
  if (socket_option(socket.get(), SOL_SOCKET, SO_PROTOCOL) == IPPROTO_MPTCP) {
    SubflowWish wish{session.uid, session.assignment.profile, 0, members_of(paths)};
    return parts_.subflows.add(socket, std::move(wish), parts_.routing.mask());
  }
  if (!is_sctp(socket.get())) return fail("the socket is of no protocol with several paths");
  // Routing rules are about the ports of the broker's own namespace.
  if (network_namespace == 0) return fail("this kernel does not tell network namespaces apart");
  const auto members = reachable(plan, members_of(paths));
  if (members.empty()) return fail("the plan lets it reach none of them");
  return parts_.port_routes.give(session.uid, members, socket);
}

}  // namespace px::broker
