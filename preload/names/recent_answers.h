// SPDX-License-Identifier: MIT
// What the broker answered this process a moment ago, for as long as it said: programs that look
// one name up again and again then ask nobody. Each answer is of an era, which ends with any change
// of the plan, of the host's entries, of the name servers, or of the broker. A fixed table of this
// process alone; where it is full, what was used longest ago makes room, among those that share its
// place. One static instance, lock-free, without heap, any thread; a forked child goes on with a
// copy. A slot that is being written is neither read nor waited for. Changes no errno.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "plan/name_wire.h"
#include "preload/session/lookup_request.h"

namespace px::shim {

class RecentAnswers {
 public:
  static constexpr std::size_t kPlaces = 32;
  static constexpr std::size_t kWays = 4;  // answers in a place

  // Under which plan, and since which change. No two eras of a process are alike.
  struct Era {
    std::uint64_t plan = 0;  // CurrentPlan::version()
    std::uint64_t epoch = 0;
    std::uint64_t broker = 0;

    friend bool operator==(const Era&, const Era&) = default;
  };

  // Keeps an answer that was asked for at that time, by CLOCK_BOOTTIME in milliseconds. Not one
  // that has no lifetime or is large, nor one to a question with a search list of the program's.
  void remember(const Era& era, const plan::Lookup& asked, const LookupReply& reply,
                std::int64_t asked_at_ms);
  // The answer to the very question, with the times that are left; false where there is none.
  [[nodiscard]] bool find(const Era& era, const plan::Lookup& asked, std::int64_t now_ms,
                          LookupReply* reply);

 private:
  using Word = std::atomic<std::uint64_t>;
  static constexpr std::size_t kMostBytes = plan::LookupAnswer::kPart;
  static constexpr std::size_t kWordSize = sizeof(std::uint64_t);
  // Whole words, which are copied one by one.
  struct Head {
    Era era;
    std::int64_t asked_at_ms;
    std::int64_t until_ms;
    std::uint16_t types[plan::kLookupQuestions];
    std::uint16_t query_class;
    std::uint16_t flags;
    std::uint8_t ndots;
    std::uint8_t name_length;
    std::uint8_t name[dns::kMostName + 3];
    plan::LookupOutcome outcome;
    std::uint32_t lengths[plan::kLookupQuestions];
  };
  static_assert(sizeof(Head) % kWordSize == 0 && kMostBytes % kWordSize == 0);
  struct alignas(64) Slot {
    Word sequence;  // odd while the rest is being written
    Word question;  // a hash of it; 0: nothing is here
    Word used;      // when; the least makes room
    std::array<Word, sizeof(Head) / kWordSize> head;
    std::array<Word, kMostBytes / kWordSize> bytes;
  };
  using Place = std::array<Slot, kWays>;

  [[nodiscard]] static Head head_of(const Era& era, const plan::Lookup& asked);
  [[nodiscard]] static std::uint64_t hash_of(const plan::Lookup& asked);
  [[nodiscard]] Place& place_of(std::uint64_t question) { return places_[question % kPlaces]; }
  // Whether the slot holds an answer to what `wanted` asks: then it is there, and in `reply`.
  [[nodiscard]] static bool read(const Slot& slot, const Head& wanted, std::int64_t now_ms,
                                 Head* head, LookupReply* reply);
  static void write(Slot* slot, const Head& head, std::span<const std::byte> bytes);
  // The one to be written next: of this question, or else what was used longest ago.
  [[nodiscard]] static Slot* next_of(Place& place, std::uint64_t question);

  Word tickets_{};
  std::array<Place, kPlaces> places_{};
};

}  // namespace px::shim
