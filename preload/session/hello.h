// SPDX-License-Identifier: MIT
// A hello to the broker (docs/protocol.md, "A program: hello"), bounded by one deadline: where the
// broker is busy, said again until then.
// Bare system calls alone. Nothing is left open but the two descriptors of a welcome, which are the
// caller's to close. Callable from any thread and from signal handlers; may change errno.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "plan/wire.h"
#include "preload/process/settings.h"
#include "preload/session/broker_connection.h"

namespace px::shim {

enum class HelloOutcome : std::uint8_t {
  kWelcome,
  kNoProfile,  // the broker has none for this program
  kRefusal,
  kBusy,           // a refusal for the moment, until the deadline
  kNoPlace,        // a refusal, for the broker can know no more programs
  kUnreachable,    // nobody can be asked
  kHungUp,         // closed without a word, again and again
  kNoAnswer,       // too late
  kStrangeAnswer,  // no answer of a broker of this version
};

struct HelloAnswer {
  HelloOutcome outcome = HelloOutcome::kNoAnswer;
  // kWelcome:
  std::uint64_t broker_instance = 0;
  std::array<char, plan::kProfileNameSize> profile{};  // NUL-terminated
  std::uint32_t recheck = 0;
  int plan_fd = -1;
  int counters_fd = -1;
  // kRefusal, kBusy, kNoPlace:
  std::array<char, plan::kReasonSize> reason{};
  int error = 0;  // kUnreachable: the errno that says why
};

struct HelloRequest {
  std::string_view profile;  // the program's own word; empty: the profile that matches
  std::uint32_t flags = 0;   // plan::kHelloGoesOn or 0
  std::int64_t patience_ms = kBrokerDeadlineMs;
  SecondSocket second{};
};

[[nodiscard]] HelloAnswer say_hello(const Settings& settings, const HelloRequest& request);

}  // namespace px::shim
