// SPDX-License-Identifier: MIT
// What is remembered of the program's descriptors, so that a connect need not ask the kernel. An
// entry is set whenever a number is made (socket, accept, dup, a received descriptor), never when
// it is closed: the call that makes the number again sets it again. Descriptors that libc makes
// behind the hooks (open, pipe, its resolver's sockets) leave an old entry in place; acting on it
// fails, and then the kernel is asked. Static, lock-free: any thread, any signal handler, a vfork
// child.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "plan/layout.h"

namespace px::shim {

enum class FdKind : std::uint8_t {
  kUnknown,    // ask the kernel
  kForeign,    // no internet socket: none of px's business
  kFresh,      // an internet socket that the program has not bound
  kPortBound,  // bound by the program, but to no address: a device can be chosen, no source
  kOwned,      // the program chose device or mark itself, or is bound to a loopback source (PX-6)
  kDecided,    // px chose
  kSourced,    // bound by the program to a source: of an entry's, the device can be chosen
  kReleased,   // px chose and took it back: the source the kernel keeps is nobody's choice
};

struct FdState {
  FdKind kind = FdKind::kUnknown;
  bool ipv6 = false;      // an AF_INET6 socket
  bool datagram = false;  // can be connected again
  plan::Transport transport = plan::Transport::kTcp;
  bool source_fixed = false;    // kDecided, kReleased: on top of kPortBound
  bool sourced = false;         // kDecided: on top of kSourced
  bool no_sctp = false;         // known not to be SCTP's; also of kUnknown
  std::uint32_t source = 0;     // kDecided: digest of the source, 22 bits
  std::uint32_t interface = 0;  // kDecided: its index; 0 when only the source could be set

  static constexpr std::uint32_t kSourceMask = 0x3fffff;

  friend constexpr bool operator==(const FdState&, const FdState&) = default;
};

constexpr std::uint64_t pack(const FdState& state) {
  return static_cast<std::uint64_t>(state.kind) | std::uint64_t{state.ipv6} << 3 |
         std::uint64_t{state.datagram} << 4 | static_cast<std::uint64_t>(state.transport) << 5 |
         std::uint64_t{state.source_fixed} << 7 |
         std::uint64_t{state.source & FdState::kSourceMask} << 8 |
         std::uint64_t{state.sourced} << 30 | std::uint64_t{state.no_sctp} << 31 |
         std::uint64_t{state.interface} << 32;
}

constexpr FdState unpack(std::uint64_t word) {
  return {.kind = static_cast<FdKind>(word & 7),
          .ipv6 = (word >> 3 & 1) != 0,
          .datagram = (word >> 4 & 1) != 0,
          .transport = static_cast<plan::Transport>(word >> 5 & 3),
          .source_fixed = (word >> 7 & 1) != 0,
          .sourced = (word >> 30 & 1) != 0,
          .no_sctp = (word >> 31 & 1) != 0,
          .source = static_cast<std::uint32_t>(word >> 8) & FdState::kSourceMask,
          .interface = static_cast<std::uint32_t>(word >> 32)};
}

// Whether a source can be chosen.
constexpr bool is_unbound(const FdState& state) {
  return state.kind == FdKind::kFresh || (state.kind == FdKind::kReleased && !state.source_fixed);
}

// Whether the program bound the socket to a port: no source can be chosen any more.
constexpr bool is_source_fixed(const FdState& state) {
  return state.kind == FdKind::kPortBound || state.source_fixed;
}

// What a socket has to do with AF_BUNDLE: which addresses its calls give to the program.
enum class BundleRole : std::uint8_t {
  kNone,
  kBundle,    // made as AF_BUNDLE: bundles
  kBound,     // bound to a bundle: bundles, and only calls to its addresses are accepted
  kAccepted,  // by either of them: single addresses, never v4-mapped
};

// What is remembered of a socket beside its FdState, and the same for every alias of it. All but
// the role is for datagram sockets.
struct FdNotes {
  std::uint32_t generation = 0;  // 24 bits; a number of the socket's own, once it is watched
  bool examined = false;         // it has been decided whether the socket is to be watched
  bool watched = false;          // px has the kernel say which of the host's addresses was called
  bool wants_ipv4 = false;       // the program wants that too (IP_PKTINFO)
  bool wants_ipv6 = false;       // likewise (IPV6_RECVPKTINFO)
  bool connected = false;        // by connect(2)
  bool group_chosen = false;     // the program chose the interface for multicast
  BundleRole role = BundleRole::kNone;

  friend constexpr bool operator==(const FdNotes&, const FdNotes&) = default;
};

// Whether the program has bound the socket to a source.
constexpr bool is_sourced(const FdState& state) {
  return state.kind == FdKind::kSourced || state.sourced;
}

// Whether px leaves the socket alone, whatever the destination.
constexpr bool is_left_alone(const FdState& state) {
  return state.kind == FdKind::kForeign || state.kind == FdKind::kOwned;
}

// As of socket(2); flags in `type` are ignored.
[[nodiscard]] FdState fresh_socket(int domain, int type, int protocol);

// 22 bits of a hash of the address: two sources of one host have the same only by a rare accident.
[[nodiscard]] std::uint32_t source_digest(const plan::Address& source);

class FdTable {
 public:
  static constexpr std::size_t kSize = 1 << 16;

  // kUnknown for numbers beyond the table. Every write looks here: one load.
  [[nodiscard]] FdState get(int fd) const { return unpack(word(fd)); }
  void set(int fd, const FdState& state);
  // The socket is another one, or may be.
  void forget(int fd);
  // `fd` is a connection that `listener` has taken: nothing is known of it but its protocol.
  void accepted(int listener, int fd);
  [[nodiscard]] FdNotes notes(int fd) const;
  void set_notes(int fd, const FdNotes& notes);
  // Never 0.
  [[nodiscard]] std::uint32_t new_generation();
  // `copy` is now another name of `fd`. Of both it stays known where px sent them, and nothing
  // else: a bind through one would not be seen on the other. That the program chose for itself
  // stays known of `fd` too, but the kernel is asked again about `copy`: dup2 in a vfork child
  // writes here what is true of the child alone, and must not make its parent's socket look like
  // the program's own.
  void duplicated(int fd, int copy);

 private:
  [[nodiscard]] std::uint64_t word(int fd) const {
    if (fd < 0 || static_cast<std::size_t>(fd) >= kSize) return 0;
    return entries_[static_cast<std::size_t>(fd)].load(std::memory_order_relaxed);
  }

  std::array<std::atomic<std::uint64_t>, kSize> entries_{};
  std::array<std::atomic<std::uint32_t>, kSize> notes_{};
  std::atomic<std::uint32_t> generation_{0};
};

}  // namespace px::shim
