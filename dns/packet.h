// SPDX-License-Identifier: MIT
// DNS packets (RFC 1035, 4.1), as far as px looks into them: the header, the one question, and the
// records of answers one after another. Numbers are in host byte order.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "dns/name.h"

namespace px::dns {

using Packet = std::span<const std::byte>;

inline constexpr std::size_t kHeaderSize = 12;
inline constexpr std::uint16_t kPort = 53;
inline constexpr std::uint16_t kTlsPort = 853;

// Types and classes of questions and records.
inline constexpr std::uint16_t kA = 1;
inline constexpr std::uint16_t kCname = 5;
inline constexpr std::uint16_t kSoa = 6;
inline constexpr std::uint16_t kPtr = 12;
inline constexpr std::uint16_t kAaaa = 28;
inline constexpr std::uint16_t kOpt = 41;
inline constexpr std::uint16_t kInternet = 1;

// What a server says of the question as a whole.
inline constexpr std::uint8_t kNoError = 0;
inline constexpr std::uint8_t kFormatError = 1;
inline constexpr std::uint8_t kServerFailure = 2;
inline constexpr std::uint8_t kNoSuchName = 3;
inline constexpr std::uint8_t kNotImplemented = 4;
inline constexpr std::uint8_t kRefused = 5;

struct Header {
  std::uint16_t id = 0;
  bool is_reply = false;
  std::uint8_t opcode = 0;
  bool truncated = false;
  std::uint8_t rcode = 0;
  std::uint16_t questions = 0;
  std::uint16_t answers = 0;
};

// Nothing for a packet that is shorter than a header.
[[nodiscard]] std::optional<Header> header_of(Packet packet);

struct Question {
  Name name;
  std::uint16_t type = 0;
  std::uint16_t query_class = kInternet;
};

// The one question of a packet; nothing where there is another number of them.
[[nodiscard]] std::optional<Question> question_of(Packet packet);

// A question to a server that looks further itself.
struct Query {
  std::uint16_t id = 0;
  Question question;
  bool recursion = true;            // RD
  bool authentic = false;           // AD: that the server checked the answer is worth knowing
  bool unchecked = false;           // CD: it need not
  bool extended = false;            // with an OPT record (EDNS), its last
  bool dnssec = false;              // DO, in the OPT record
  std::uint16_t datagram_size = 0;  // in the OPT record: the largest that is welcome
};

inline constexpr std::size_t kOptSize = 11;
inline constexpr std::size_t kMostQuery = kHeaderSize + kMostName + 4 + kOptSize;

// How many bytes it takes.
std::size_t write_query(const Query& query, std::span<std::byte, kMostQuery> packet);
// Nothing where it is no plain query of one question, or holds more than that and an OPT record
// without options.
[[nodiscard]] std::optional<Query> parse_query(Packet packet);

enum class Section : std::uint8_t { kAnswer, kAuthority, kAdditional };

struct Record {
  Name owner;
  std::uint16_t type = 0;
  std::uint16_t record_class = 0;
  std::uint32_t ttl = 0;     // seconds
  std::size_t position = 0;  // of the data in the packet
  Section section = Section::kAnswer;
  Packet data;
};

// The records behind the question, in order.
class Records {
 public:
  // `packet` must outlive this.
  explicit Records(Packet packet);

  // The next one of the answer section; nothing behind the last, and where the packet is broken:
  // is_broken().
  [[nodiscard]] std::optional<Record> next();
  // The same of all sections.
  [[nodiscard]] std::optional<Record> next_of_all();
  [[nodiscard]] bool is_broken() const { return broken_; }

 private:
  Packet packet_;
  std::size_t at_ = 0;
  std::size_t section_ = 0;
  std::array<std::uint16_t, 3> left_{};  // by section
  bool broken_ = false;
};

// Takes so many seconds from each record's time, as a cache does before it hands a packet on.
void age(std::span<std::byte> packet, std::uint32_t seconds);

// The name at `position`, whose pointers lead backwards; `position` is then behind it. Nothing for
// bytes that are none.
[[nodiscard]] std::optional<Name> read_name(Packet packet, std::size_t* position);

}  // namespace px::dns
