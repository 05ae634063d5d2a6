// SPDX-License-Identifier: MIT
#include "broker/sessions/dispatcher.h"

#include <cassert>
#include <utility>

namespace px::broker {
namespace {

bool fits(Brings brings, bool brought) {
  return brings == Brings::kPerhapsOne || brought == (brings == Brings::kOne);
}

}  // namespace

void Dispatcher::add(plan::MessageType type, Brings brings, Handler handler) {
  [[maybe_unused]] const bool added =
      handlers_.emplace(type, Entry{brings, std::move(handler)}).second;
  assert(added);
}

Answer Dispatcher::dispatch(const Peer& peer, const Message& message) const {
  const auto header = plan::parse_header(message.packet);
  if (!header) return no_answer();
  const auto found = handlers_.find(header->type);
  if (found == handlers_.end()) return no_answer();
  const auto& [brings, handler] = found->second;
  if (!fits(brings, static_cast<bool>(message.descriptor))) return no_answer();
  return handler(peer, message);
}

}  // namespace px::broker
