// SPDX-License-Identifier: MIT
// What a message of a client is answered with, whatever the message: packets, and what becomes of
// the connection. Plain values.
//
// Of this folder: all other parts are owned by the daemon and single-threaded.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plan/wire.h"
#include "util/fd.h"

namespace px::broker {

// Why a request is turned down, for the program and for people.
struct Rejection {
  plan::RefusalCode code;
  std::string reason;
};

struct Answer;
using Reply = std::function<void(Answer)>;

struct Answer {
  using Packet = std::vector<std::byte>;
  enum class Then {
    kServe,  // wait for the next message
    kWatch,  // send events until the client closes
    kHold,   // until the client closes or says anything more
    kClose,
  };

  std::vector<Packet> packets;   // none: the connection is closed without a word
  std::vector<int> descriptors;  // go with the first packet; stay whose they are
  std::vector<Fd> owned;         // closed once sent
  Then then = Then::kServe;
  // Where it is worked out elsewhere: called once, with the function that is given the answer,
  // once. Nothing else of this one counts then.
  std::function<void(Reply)> later{};
  std::shared_ptr<const void> held{};  // let go with the connection
};

template <typename Message>
[[nodiscard]] Answer::Packet packet_of(const Message& message) {
  const auto bytes = std::as_bytes(std::span(&message, 1));
  return {bytes.begin(), bytes.end()};
}

// To what is malformed, and to messages that have none.
[[nodiscard]] Answer no_answer();
// A header of this type alone.
[[nodiscard]] Answer acknowledgement(plan::MessageType type);
// The connection is closed behind it.
[[nodiscard]] Answer refusal(const Rejection& rejection);
// A text, in as many replies as it takes: all but the last say that more follows.
[[nodiscard]] Answer text_answer(std::string_view text);

}  // namespace px::broker
