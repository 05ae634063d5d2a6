// SPDX-License-Identifier: MIT
#include "broker/sessions/dispatcher.h"

#include <cassert>
#include <utility>

namespace px::broker {
namespace {

template <typename Handlers>
const auto* find(const Handlers& handlers, Packet packet) {
  const auto header = plan::parse_header(packet);
  const auto found = header ? handlers.find(header->type) : handlers.end();
  return found == handlers.end() ? nullptr : &found->second;
}

}  // namespace

void Dispatcher::add(plan::MessageType type, Handler handler) {
  [[maybe_unused]] const bool added = handlers_.emplace(type, std::move(handler)).second;
  assert(added);
}

void Dispatcher::add_with_descriptor(plan::MessageType type, DescriptorHandler handler) {
  [[maybe_unused]] const bool added = descriptor_handlers_.emplace(type, std::move(handler)).second;
  assert(added);
}

Answer Dispatcher::dispatch(const Peer& peer, Packet packet) const {
  const auto* handler = find(handlers_, packet);
  return handler == nullptr ? no_answer() : (*handler)(peer, packet);
}

void Dispatcher::dispatch(const Peer& peer, Packet packet, const PassedDescriptor& descriptor,
                          const Reply& reply) const {
  const auto* handler = find(descriptor_handlers_, packet);
  if (handler == nullptr) return reply(no_answer());
  (*handler)(peer, packet, descriptor, reply);
}

}  // namespace px::broker
