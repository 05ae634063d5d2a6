// SPDX-License-Identifier: MIT
// The messages between programs, px-exec, pxctl and the broker: SOCK_SEQPACKET on a Unix socket,
// one message a packet, native byte order, fixed sizes but for the text of control messages.
// Whoever receives a packet that does not parse closes the connection. docs/protocol.md tells it in
// prose. Parsing is pure; callable from any thread and from signal handlers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "plan/layout.h"

namespace px::plan {

inline constexpr std::uint32_t kWireMagic = 0x31575850;  // "PXW1"
inline constexpr std::size_t kLargestMessage = std::size_t{64} * 1024;

enum class MessageType : std::uint16_t {
  kHello = 1,          // program -> broker: Hello
  kWelcome = 2,        // broker -> program: Welcome, with the plan's fd and the counters page's fd
  kRefusal = 3,        // broker -> anyone: Refusal; the broker closes after it
  kLaunch = 4,         // px-exec -> broker, just before it becomes the program: Launch
  kLaunched = 5,       // broker -> px-exec: a header alone
  kRequest = 6,        // pxctl -> broker: JSON text
  kReply = 7,          // broker -> pxctl: JSON text; kMoreFollows on all but the last packet
  kMark = 8,           // program -> broker: Mark, with the socket to be marked
  kMarked = 9,         // broker -> program: a header alone
  kHealthReport = 10,  // program -> broker: HealthReport (bundle_wire.h); no answer
  kExtraPaths =
      11,  // program -> broker: ExtraPaths (bundle_wire.h), with the socket that is to have them
  kExtraPathsTaken = 12,  // broker -> program: a header alone
};

inline constexpr std::uint16_t kMoreFollows = 1;

struct MessageHeader {
  std::uint32_t magic;
  MessageType type;
  std::uint16_t flags;
  std::uint32_t length;  // of the whole packet, this header included
};

// Flags of a Hello.
// The process goes on under the profile it names: a fork, or a broker that was restarted.
inline constexpr std::uint32_t kHelloGoesOn = 1;

// May carry one descriptor, the program's own executable (O_PATH).
struct Hello {
  MessageHeader header;
  std::uint32_t layout_version;  // that the program can read
  std::uint32_t flags;
  std::uint32_t reserved;
  std::uint64_t network_namespace;  // SO_NETNS_COOKIE of the program's socket; 0: not known
  char profile[kProfileNameSize];   // NUL-terminated; empty: whichever matches
};

// With the plan's descriptor and the counters page's; without any where no profile is the
// program's.
struct Welcome {
  MessageHeader header;
  std::uint32_t recheck;           // FileHeader::recheck that this answer knows of; its lower half
  std::uint64_t broker_instance;   // as in the plan's FileHeader
  char profile[kProfileNameSize];  // NUL-terminated: the one to run under; empty: none
};

// A socket is to carry this mark, all of plan::PlanHeader::mark_mask; 0 takes px's mark away.
struct Mark {
  MessageHeader header;
  std::uint32_t mark;
};

inline constexpr std::size_t kReasonSize = 244;

enum class RefusalCode : std::uint32_t {
  kNoSuchProfile = 1,
  kOtherNamespace,  // the program is in another network namespace than the broker
  kOtherVersion,    // no plan of the layout asked for
  kQuota,           // the user has too many connections or sessions
  kNotAllowed,
  kUnmarkable,    // no socket, or one that the kernel lets nobody mark
  kNoExtraPaths,  // the broker can have the kernel make no further paths
};

// A refusal, with a reason for people.
struct Refusal {
  MessageHeader header;
  RefusalCode code;
  char reason[kReasonSize];  // NUL-terminated, one line
};

// What px-exec found out about the program (see px-exec(1)).
enum class Coverage : std::uint32_t { kCovered = 1, kUncovered = 2 };

struct Launch {
  MessageHeader header;
  Coverage coverage;
  std::uint64_t network_namespace;
  char profile[kProfileNameSize];
  char why_uncovered[kReasonSize];  // NUL-terminated; empty when covered
};

[[nodiscard]] constexpr MessageHeader header_of(MessageType type, std::size_t length,
                                                std::uint16_t flags = 0) {
  return {kWireMagic, type, flags, static_cast<std::uint32_t>(length)};
}

// A well-formed header whose length is the packet's; nothing otherwise.
[[nodiscard]] std::optional<MessageHeader> parse_header(std::span<const std::byte> packet);

// The message, if the packet is exactly one of that type, its text is terminated, and its profile
// has a valid name; nothing otherwise.
[[nodiscard]] std::optional<Hello> parse_hello(std::span<const std::byte> packet);
[[nodiscard]] std::optional<Welcome> parse_welcome(std::span<const std::byte> packet);
[[nodiscard]] std::optional<Refusal> parse_refusal(std::span<const std::byte> packet);
[[nodiscard]] std::optional<Mark> parse_mark(std::span<const std::byte> packet);
[[nodiscard]] std::optional<Launch> parse_launch(std::span<const std::byte> packet);

// The text after the header of a kRequest or kReply packet; nothing for any other packet. The view
// points into the packet.
[[nodiscard]] std::optional<std::string_view> parse_text(std::span<const std::byte> packet);

// 1 to 63 of A-Z a-z 0-9 . _ -, not starting with a dot: safe as a file name and in a terminal.
[[nodiscard]] bool valid_profile_name(std::string_view name);

// Copies a string into a fixed field, cut to fit and NUL-terminated.
void fill_text(std::span<char> field, std::string_view text);

// Where things are, as every part must agree.
inline constexpr char kSystemSocket[] = "/run/px/px.sock";
inline constexpr char kUserSocketBelowRuntimeDir[] = "px/px.sock";  // below $XDG_RUNTIME_DIR
inline constexpr char kSocketVariable[] = "PX_SOCKET";
inline constexpr char kProfileVariable[] = "PX_PROFILE";

}  // namespace px::plan
