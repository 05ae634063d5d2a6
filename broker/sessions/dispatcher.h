// SPDX-License-Identifier: MIT
// Hands each message to the handler of its type. Knows no message itself: a new one is an edit of
// its service alone. Filled at start.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <span>

#include "broker/descriptors/passed_descriptor.h"
#include "broker/sessions/answer.h"
#include "ipc/peer.h"
#include "plan/wire.h"

namespace px::broker {

using ipc::Peer;

using Packet = std::span<const std::byte>;

class Dispatcher {
 public:
  // Parses the packet, whose header is well-formed and of the registered type.
  using Handler = std::function<Answer(const Peer&, Packet)>;
  // The same of a packet that brings a descriptor, and the answer may come later. The peer lives as
  // long as `reply`, the packet does not.
  using DescriptorHandler =
      std::function<void(const Peer&, Packet, const PassedDescriptor&, const Reply& reply)>;

  // One handler a type, and one for those that bring a descriptor: a message may bring one, has to,
  // or must not.
  void add(plan::MessageType type, Handler handler);
  void add_with_descriptor(plan::MessageType type, DescriptorHandler handler);

  // no_answer() to what is malformed or of no registered type.
  [[nodiscard]] Answer dispatch(const Peer& peer, Packet packet) const;
  // Of these, the descriptor is not even received.
  void dispatch(const Peer& peer, Packet packet, const PassedDescriptor& descriptor,
                const Reply& reply) const;

 private:
  std::map<plan::MessageType, Handler> handlers_;
  std::map<plan::MessageType, DescriptorHandler> descriptor_handlers_;
};

}  // namespace px::broker
