// SPDX-License-Identifier: MIT
// The messages of fixed size (message.h) that every program and px-exec may send or receive; those
// about bundles are in bundle_wire.h. is_valid() says whether each text ends in its field, each
// profile has a valid name, and each value is in its range.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "plan/layout.h"
#include "plan/message.h"

namespace px::plan {

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

  [[nodiscard]] bool is_valid() const;
};

// With the plan's descriptor and the counters page's; without any where no profile is the
// program's.
struct Welcome {
  MessageHeader header;
  std::uint32_t recheck;           // FileHeader::recheck that this answer knows of; its lower half
  std::uint64_t broker_instance;   // as in the plan's FileHeader
  char profile[kProfileNameSize];  // NUL-terminated: the one to run under; empty: none

  [[nodiscard]] bool is_valid() const;
};

// A socket is to carry this mark, all of plan::PlanHeader::mark_mask; 0 takes px's mark away.
struct Mark {
  MessageHeader header;
  std::uint32_t mark;

  [[nodiscard]] constexpr bool is_valid() const { return true; }
};

inline constexpr std::size_t kReasonSize = 244;

enum class RefusalCode : std::uint32_t {
  kNoSuchProfile = 1,
  kOtherNamespace,  // the program is in another network namespace than the broker
  kOtherVersion,    // no plan of the layout asked for
  kQuota,           // the user has too many connections or sessions
  kNotAllowed,
  kUnmarkable,    // no socket, or one that the kernel lets nobody mark
  kNoExtraPaths,  // the broker can have the kernel make no extra paths
  kBusy,          // too many connections at this moment: to be asked again
};

// A refusal, with a reason for people.
struct Refusal {
  MessageHeader header;
  RefusalCode code;
  char reason[kReasonSize];  // NUL-terminated, one line

  [[nodiscard]] bool is_valid() const;
};

// What px-exec found out about the program (see px-exec(1)).
enum class Coverage : std::uint32_t { kCovered = 1, kUncovered = 2 };

struct Launch {
  MessageHeader header;
  Coverage coverage;
  std::uint64_t network_namespace;
  char profile[kProfileNameSize];
  char why_uncovered[kReasonSize];  // NUL-terminated; empty when covered

  [[nodiscard]] bool is_valid() const;
};

// The text of a fixed field; nothing if its NUL is missing.
[[nodiscard]] std::optional<std::string_view> field_text(std::span<const char> field);

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
