// SPDX-License-Identifier: MIT
#include "preload/sockets/fd_table.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <bit>
#include <cstring>

namespace px::shim {
namespace {

constexpr std::uint32_t kGenerationMask = 0xffffff;

constexpr std::uint32_t pack(const FdNotes& notes) {
  return std::uint32_t{notes.examined} | std::uint32_t{notes.watched} << 1 |
         std::uint32_t{notes.wants_ipv4} << 2 | std::uint32_t{notes.wants_ipv6} << 3 |
         std::uint32_t{notes.connected} << 4 | std::uint32_t{notes.group_chosen} << 5 |
         static_cast<std::uint32_t>(notes.role) << 6 | notes.generation << 8;
}

constexpr FdNotes unpack_notes(std::uint32_t word) {
  return {.generation = word >> 8,
          .examined = (word & 1) != 0,
          .watched = (word >> 1 & 1) != 0,
          .wants_ipv4 = (word >> 2 & 1) != 0,
          .wants_ipv6 = (word >> 3 & 1) != 0,
          .connected = (word >> 4 & 1) != 0,
          .group_chosen = (word >> 5 & 1) != 0,
          .role = static_cast<BundleRole>(word >> 6 & 3)};
}
static_assert(pack(FdState{}) == 0 && pack(FdNotes{}) == 0, "a zeroed table knows nothing");

plan::Transport transport_of(int type, int protocol) {
  // A stream of SCTP may be what px made of the program's TCP: `proto: tcp` means streams.
  if (type == SOCK_STREAM && (protocol == 0 || protocol == IPPROTO_TCP ||
                              protocol == IPPROTO_MPTCP || protocol == IPPROTO_SCTP)) {
    return plan::Transport::kTcp;
  }
  if (type == SOCK_DGRAM &&
      (protocol == 0 || protocol == IPPROTO_UDP || protocol == IPPROTO_UDPLITE)) {
    return plan::Transport::kUdp;
  }
  if ((type == SOCK_DGRAM || type == SOCK_RAW) &&
      (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6)) {
    return plan::Transport::kIcmp;
  }
  return plan::Transport::kOther;
}

}  // namespace

FdState fresh_socket(int domain, int type, int protocol) {
  if (domain != AF_INET && domain != AF_INET6) return {.kind = FdKind::kForeign};
  const int plain_type = type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
  return {.kind = FdKind::kFresh,
          .ipv6 = domain == AF_INET6,
          .datagram = plain_type == SOCK_DGRAM || plain_type == SOCK_RAW,
          .transport = transport_of(plain_type, protocol),
          .no_sctp = protocol != IPPROTO_SCTP};
}

std::uint32_t source_digest(const plan::Address& source) {
  const auto halves = std::bit_cast<std::array<std::uint64_t, 2>>(source.bytes);
  constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;  // 2^64 divided by the golden ratio
  const std::uint64_t mixed = ((halves[0] * kOdd) ^ halves[1]) * kOdd;
  return static_cast<std::uint32_t>(mixed >> 42);
}

void FdTable::set(int fd, const FdState& state) {
  if (fd < 0 || static_cast<std::size_t>(fd) >= kSize) return;
  entries_[static_cast<std::size_t>(fd)].store(pack(state), std::memory_order_relaxed);
}

void FdTable::forget(int fd) {
  set(fd, {});
  set_notes(fd, {});
}

void FdTable::accepted(int listener, int fd) {
  set(fd, {.no_sctp = get(listener).no_sctp});
  set_notes(fd, {});
}

FdNotes FdTable::notes(int fd) const {
  if (fd < 0 || static_cast<std::size_t>(fd) >= kSize) return {};
  return unpack_notes(notes_[static_cast<std::size_t>(fd)].load(std::memory_order_relaxed));
}

void FdTable::set_notes(int fd, const FdNotes& notes) {
  if (fd < 0 || static_cast<std::size_t>(fd) >= kSize) return;
  notes_[static_cast<std::size_t>(fd)].store(pack(notes), std::memory_order_relaxed);
}

std::uint32_t FdTable::new_generation() {
  std::uint32_t generation = 0;
  while (generation == 0) {
    generation = (generation_.fetch_add(1, std::memory_order_relaxed) + 1) & kGenerationMask;
  }
  return generation;
}

void FdTable::duplicated(int fd, int copy) {
  if (copy < 0 || copy == fd) return;
  FdState state = get(fd);
  const bool decided = state.kind == FdKind::kDecided && state.interface != 0;
  if (!decided && state.kind != FdKind::kOwned) set(fd, {});
  state.no_sctp = false;
  set(copy, decided ? state : FdState{});
  set_notes(copy, notes(fd));
}

}  // namespace px::shim
