// SPDX-License-Identifier: MIT
#include "broker/services/mark_service.h"

#include "broker/publish/publisher.h"
#include "broker/routing/routing.h"
#include "broker/services/task_answer.h"
#include "broker/sessions/session_table.h"

namespace px::broker {

void MarkService::register_with(Dispatcher& dispatcher) {
  dispatcher.add_with_descriptor(
      plan::MessageType::kMark,
      [this](const Peer& peer, Packet packet, const PassedDescriptor& socket, const Reply& reply) {
        const auto parsed = plan::parse<plan::Mark>(packet);
        parsed ? mark(peer, *parsed, socket, reply) : reply(no_answer());
      });
}

void MarkService::mark(const Peer& peer, const plan::Mark& mark, const PassedDescriptor& socket,
                       const Reply& reply) {
  // A session is its process's, whatever user that has become.
  const Session* session = parts_.sessions.find_connected(peer.pid);
  if (session == nullptr) {
    return reply(refusal({plan::RefusalCode::kNotAllowed, "the process has not said hello"}));
  }
  const std::string& profile = session->assignment.profile;
  const PlanFile* plan = parts_.publisher.find(profile);
  if (mark.mark != 0 && (plan == nullptr || !plan->names_mark(mark.mark))) {
    return reply(refusal({plan::RefusalCode::kNotAllowed,
                          "the plan of '" + profile + "' does not name this mark (any more)"}));
  }
  Task task;
  task.kind = TaskKind::kMark;
  task.mark = mark.mark;
  task.mark_mask = parts_.routing.mask();
  task.network_namespace = parts_.network_namespace.cookie();
  socket.ask(task, [reply](const auto& result) {
    auto failure = answer_unless_done(result, plan::RefusalCode::kUnmarkable);
    reply(failure ? std::move(*failure) : acknowledgement(plan::MessageType::kMarked));
  });
}

}  // namespace px::broker
