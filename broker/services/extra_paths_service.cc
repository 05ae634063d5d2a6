// SPDX-License-Identifier: MIT
#include "broker/services/extra_paths_service.h"

#include <string>
#include <utility>

#include "broker/mptcp/subflows.h"
#include "broker/publish/publisher.h"
#include "broker/routing/routing.h"
#include "broker/services/planned_egress.h"
#include "broker/services/sctp_port_routes.h"
#include "broker/services/task_answer.h"
#include "broker/sessions/session_table.h"

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
  dispatcher.add_with_descriptor(
      plan::MessageType::kExtraPaths,
      [this](const Peer& peer, Packet packet, const PassedDescriptor& socket, const Reply& reply) {
        const auto parsed = plan::parse<plan::ExtraPaths>(packet);
        if (!parsed) return reply(no_answer());
        give({peer, *parsed, socket, reply});
      });
}

std::optional<ExtraPathsService::Program> ExtraPathsService::program_of(
    const Request& request) const {
  const Session* session = parts_.sessions.find_connected(request.peer.pid);
  const PlanFile* plan =
      session == nullptr ? nullptr : parts_.publisher.find(session->assignment.profile);
  if (plan == nullptr) return std::nullopt;
  return Program{*session, plan->plan()};
}

void ExtraPathsService::ask(const Request& request, Task task,
                            std::function<void(const Result&)> done) const {
  task.network_namespace = parts_.network_namespace.cookie();
  request.socket.ask(task, [reply = request.reply, done = std::move(done)](const auto& result) {
    if (auto failure = answer_unless_done(result, plan::RefusalCode::kNoExtraPaths)) {
      return reply(std::move(*failure));
    }
    done(**result);
  });
}

void ExtraPathsService::finish(const Request& request, const Expected<void>& given) const {
  request.reply(given ? acknowledgement(plan::MessageType::kExtraPathsTaken)
                      : refusal({plan::RefusalCode::kNoExtraPaths, given.error().message}));
}

void ExtraPathsService::give(const Request& request) {
  if (!program_of(request)) {
    return request.reply(
        refusal({plan::RefusalCode::kNotAllowed, "the process has not said hello"}));
  }
  Task task;
  task.kind = TaskKind::kExamine;
  task.keeps = true;
  ask(request, task, [this, request](const Result& result) {
    switch (result.facts.kind) {
      case SocketFacts::Kind::kMptcp:
        return finish(request, give_subflows(request, result));
      case SocketFacts::Kind::kSctp:
        return give_routes(request, result.facts);
      case SocketFacts::Kind::kOther:
        return finish(request, fail("the socket is of no protocol with several paths"));
    }
  });
}

Expected<void> ExtraPathsService::give_subflows(const Request& request, const Result& socket) {
  PX_TRY(parts_.subflows.available());
  const MptcpSocket& mptcp = socket.facts.mptcp;
  if (mptcp.token == 0) return fail(std::string(socket.text_view()));
  const auto program = program_of(request);
  if (!program) return fail("the program's profile has just changed");
  SubflowWish wish{program->session.uid, program->session.assignment.profile, 0,
                   members_of(request.paths)};
  return parts_.subflows.add(mptcp, std::move(wish), parts_.routing.mask());
}

Expected<std::vector<SctpPath>> ExtraPathsService::sctp_paths_of(const Request& request,
                                                                 const SocketFacts& socket) const {
  // Routing rules are about the ports of the broker's own namespace.
  if (parts_.network_namespace.cookie() == 0) {
    return fail("this kernel does not tell network namespaces apart");
  }
  const auto program = program_of(request);
  if (!program) return fail("the program's profile has just changed");
  const auto members = reachable(program->plan, members_of(request.paths));
  if (members.empty()) return fail("the plan lets it reach none of them");
  PX_TRY(parts_.routing.available());
  if (socket.chooses_port) return fail("the program chooses the socket's port itself");
  return parts_.port_routes.paths_to(members);
}

// It is bound before it is routed, so that the kernel gives it a port that no other socket has:
// then the port's rules are about this socket alone.
void ExtraPathsService::give_routes(const Request& request, const SocketFacts& socket) {
  auto paths = sctp_paths_of(request, socket);
  if (!paths) return finish(request, fail(paths.error().message));
  Task task;
  task.kind = TaskKind::kBind;
  task.keeps = true;
  task.sources[0] = paths->front().source;
  ask(request, task, [this, request, paths = std::move(*paths)](const Result& result) {
    route(request, paths, result);
  });
}

void ExtraPathsService::route(const Request& request, const std::vector<SctpPath>& paths,
                              const Result& bound) {
  const auto program = program_of(request);
  if (!program) return finish(request, fail("the program's profile has just changed"));
  if (const auto given = parts_.port_routes.give(program->session.uid, paths, bound.binding,
                                                 std::string(bound.text_view()));
      !given) {
    return finish(request, given);
  }
  Task task;
  task.kind = TaskKind::kBindFurther;
  for (const SctpPath& path : paths) task.sources[task.source_count++] = path.source;
  ask(request, task, [this, request](const Result&) { finish(request, {}); });
}

}  // namespace px::broker
