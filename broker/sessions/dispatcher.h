// SPDX-License-Identifier: MIT
// Hands each message to the handler of its type. Knows no message itself: a new one is an edit of
// its service alone. Filled at start.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <span>

#include "broker/sessions/answer.h"
#include "ipc/peer.h"
#include "plan/wire.h"
#include "util/fd.h"

namespace px::broker {

using ipc::Peer;

struct Message {
  std::span<const std::byte> packet;
  const Fd& descriptor;  // that came along, if one did
};

// Whether a message brings a descriptor.
enum class Brings { kNone, kPerhapsOne, kOne };

class Dispatcher {
 public:
  // Parses the packet, whose header is well-formed and of the registered type.
  using Handler = std::function<Answer(const Peer&, const Message&)>;

  // One handler a type.
  void add(plan::MessageType type, Brings brings, Handler handler);

  // no_answer() to what is malformed, of no registered type, or has a descriptor too many or few.
  [[nodiscard]] Answer dispatch(const Peer& peer, const Message& message) const;

 private:
  struct Entry {
    Brings brings;
    Handler handler;
  };
  std::map<plan::MessageType, Entry> handlers_;
};

}  // namespace px::broker
