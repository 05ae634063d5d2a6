// SPDX-License-Identifier: MIT
#include "broker/services/mark_service.h"

#include "broker/publish/publisher.h"
#include "broker/routing/program_socket.h"
#include "broker/routing/routing.h"
#include "broker/sessions/session_table.h"

namespace px::broker {

void MarkService::register_with(Dispatcher& dispatcher) {
  dispatcher.add(plan::MessageType::kMark, Brings::kOne,
                 [this](const Peer& peer, const Message& message) {
                   const auto parsed = plan::parse<plan::Mark>(message.packet);
                   return parsed ? mark(peer, *parsed, message.descriptor) : no_answer();
                 });
}

Answer MarkService::mark(const Peer& peer, const plan::Mark& mark, const Fd& socket) {
  // A session is its process's, whatever user that has become.
  const Session* session = parts_.sessions.find_connected(peer.pid);
  if (session == nullptr) {
    return refusal({plan::RefusalCode::kNotAllowed, "the process has not said hello"});
  }
  const std::string& profile = session->assignment.profile;
  const PlanFile* plan = parts_.publisher.find(profile);
  if (mark.mark != 0 && (plan == nullptr || !plan->names_mark(mark.mark))) {
    return refusal({plan::RefusalCode::kNotAllowed,
                    "the plan of '" + profile + "' does not name this mark (any more)"});
  }
  const auto marked = set_socket_mark(socket.get(), mark.mark, parts_.routing.mask(),
                                      parts_.network_namespace.cookie());
  if (!marked) return refusal({plan::RefusalCode::kUnmarkable, marked.error().message});
  return acknowledgement(plan::MessageType::kMarked);
}

}  // namespace px::broker
