// SPDX-License-Identifier: MIT
// Has the broker look a name up (docs/protocol.md, "A program: lookup"). While it waits for the
// answer, signals are delivered and the thread can be cancelled, as in libc's own resolver: nothing
// is held meanwhile but one descriptor, which a cancelled thread closes. Callable wherever
// getaddrinfo(3) is, from any thread; changes no errno.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "plan/name_wire.h"
#include "preload/process/settings.h"
#include "preload/session/broker_connection.h"

namespace px::shim {

// What the servers said. Small: large replies are in a mapping of their own.
class LookupReply {
 public:
  LookupReply() = default;
  LookupReply(const LookupReply&) = delete;
  LookupReply& operator=(const LookupReply&) = delete;
  ~LookupReply() { clear(); }

  // kTryAgain before there is any.
  [[nodiscard]] plan::LookupOutcome outcome() const { return outcome_; }
  // The packet that answers the question of that index; empty where nobody answered it.
  [[nodiscard]] std::span<const std::byte> packet(std::size_t question) const;
  // All of them, one behind another.
  [[nodiscard]] std::span<const std::byte> bytes() const { return {data(), size()}; }
  // For how many seconds it may be kept; 0: not at all.
  [[nodiscard]] std::uint32_t lifetime_s() const { return lifetime_s_; }

  // Of recent_answers.cc: room for packets of these lengths, no more than fit one message, in place
  // of what was there; and a packet that was put there.
  [[nodiscard]] std::span<std::byte> refill(
      plan::LookupOutcome outcome, std::span<const std::uint32_t, plan::kLookupQuestions> lengths);
  [[nodiscard]] std::span<std::byte> packet_to_change(std::size_t question);

  // Of lookup_request.cc: the packets of an answer, one after another; false for one that does not
  // go on with what came before, or where there is no memory for it.
  [[nodiscard]] bool add(const plan::LookupAnswer& part);
  [[nodiscard]] bool is_whole() const { return received_ == size() && began_; }
  void clear();

 private:
  [[nodiscard]] std::size_t size() const { return std::size_t{lengths_[0]} + lengths_[1]; }
  [[nodiscard]] const std::byte* data() const { return mapped_ != nullptr ? mapped_ : own_; }

  plan::LookupOutcome outcome_ = plan::LookupOutcome::kTryAgain;
  std::uint32_t lengths_[plan::kLookupQuestions] = {};
  std::uint32_t lifetime_s_ = 0;
  std::size_t received_ = 0;
  bool began_ = false;
  std::byte* mapped_ = nullptr;
  std::byte own_[plan::LookupAnswer::kPart];
};

// Asks, and asks again while there is no broker or no answer of it, until the deadline: so long a
// server that says nothing would be waited for. False where nobody answered, or the broker refused.
[[nodiscard]] bool request_lookup(const Settings& settings, const SecondSocket& second,
                                  const plan::Lookup& lookup, std::int64_t deadline,
                                  LookupReply* reply);

// The same in two steps, once, for a caller that has more to ask before it waits: a connection to
// the broker, which has been asked, or -1; and the answer, which takes the connection over.
[[nodiscard]] int begin_lookup(const Settings& settings, const SecondSocket& second,
                               const plan::Lookup& lookup, std::int64_t deadline);
[[nodiscard]] bool finish_lookup(int connection, std::int64_t deadline, LookupReply* reply);

}  // namespace px::shim
