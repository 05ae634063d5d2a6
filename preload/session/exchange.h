// SPDX-License-Identifier: MIT
// One request about a socket of this program, and the broker's acknowledgement of it, within one
// deadline. Changes no errno.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "plan/wire.h"
#include "preload/process/settings.h"
#include "preload/session/broker_connection.h"

namespace px::shim {

struct Acknowledgement {
  bool done = false;
  // Where it is not: the broker's reason; empty where nobody answered as a broker does.
  std::array<char, plan::kReasonSize> reason{};
};

// Sends the request with the socket, and waits for the answer; `done` is the type of the one that
// says that the broker has done it.
[[nodiscard]] Acknowledgement exchange(const Settings& settings, const SecondSocket& second, int fd,
                                       std::span<const std::byte> request, plan::MessageType done);

// Sends the request with the socket, and waits for nothing; false where the broker cannot take it
// at once.
[[nodiscard]] bool tell(const Settings& settings, int fd, std::span<const std::byte> request);

}  // namespace px::shim
