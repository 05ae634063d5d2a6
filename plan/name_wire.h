// SPDX-License-Identifier: MIT
// What programs ask the broker about names, as messages (message.h): one for a whole lookup, with
// the questions for both families and what the search list makes of the name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "dns/name.h"
#include "plan/message.h"

namespace px::plan {

// Flags of a Lookup.
inline constexpr std::uint16_t kLookupSearches = 1;   // the search list applies to the name
inline constexpr std::uint16_t kLookupAuthentic = 2;  // AD in the questions
inline constexpr std::uint16_t kLookupUnchecked = 4;  // CD
inline constexpr std::uint16_t kLookupExtended = 8;   // with an OPT record
inline constexpr std::uint16_t kLookupDnssec = 16;    // DO in that record
inline constexpr std::uint16_t kLookupStream = 32;    // by TCP from the beginning
inline constexpr std::uint16_t kLookupFlags = 63;

inline constexpr std::uint8_t kNdotsOfProfile = 0xff;
inline constexpr std::size_t kLookupQuestions = 2;
inline constexpr std::size_t kSearchSize = 1024;

// A name to be looked up at the servers of the program's profile, as the session has it.
struct Lookup {
  MessageHeader header;
  std::uint16_t types[kLookupQuestions];  // of the questions; the second may be 0: none
  std::uint16_t query_class;
  std::uint16_t flags;
  // What the program's environment says instead of the profile; 0 and kNdotsOfProfile: nothing.
  std::uint8_t timeout_s;
  std::uint8_t attempts;
  std::uint8_t ndots;
  std::uint8_t name_length;
  std::uint16_t search_length;        // bytes; 0: the profile's list
  std::uint8_t name[dns::kMostName];  // as DNS has it
  std::uint8_t reserved;
  std::uint8_t search[kSearchSize];  // names, one behind another

  [[nodiscard]] bool is_valid() const;
};

enum class LookupOutcome : std::uint32_t {
  kAnswered = 1,  // at least one question has records for an answer
  kNoSuchName,
  kNoData,      // the name is there, and has no records of these types
  kTryAgain,    // no server could be asked, or none answered, or only to say that it cannot
  kNoRecovery,  // a server does not take the question
  kOfHost,      // the name is none of the profile's: it is looked up as without px
};

// What the servers answered, in as many packets as that takes: the replies one behind another. A
// question that nobody answered has none.
struct LookupAnswer {
  // Most answers take one packet, and a program has room for one on the smallest stack of a thread.
  static constexpr std::size_t kPart = 1200;

  MessageHeader header;
  LookupOutcome outcome;
  std::uint32_t lengths[kLookupQuestions];  // of the replies, in bytes
  std::uint32_t offset;                     // of this packet's part in both
  std::uint32_t lifetime_s;                 // the program may keep it so long; 0: not at all
  std::uint8_t bytes[kPart];

  [[nodiscard]] bool is_valid() const;
  [[nodiscard]] std::size_t size() const { return std::size_t{lengths[0]} + lengths[1]; }
};

// The largest reply that there is.
inline constexpr std::uint32_t kLargestReply = 65535;

}  // namespace px::plan
