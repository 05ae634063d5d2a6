// SPDX-License-Identifier: MIT
// Which of the host's addresses a peer called, and by which interface: a wildcard server's answer
// to that peer leaves from there. A fixed table; the peer that has been silent for longest makes
// room. One static instance, lock-free: any thread, any signal handler, a vfork child. A slot that
// is being written is not read, and not waited for.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "libbundle/core/address.h"
#include "preload/datagrams/packet_info.h"

namespace px::shim {

class LocalAddressCache {
 public:
  static constexpr std::size_t kSize = 8192;
  // In the place of a socket: whichever of the process's sockets it was that the peer called.
  static constexpr std::uint32_t kAnySocket = 0;

  // Seconds after which a peer that has not called again is no longer answered, but sent to: as
  // long as a NAT keeps a mapping (RFC 4787, section 4.3).
  static constexpr std::uint32_t kLifetime = 120;

  // CLOCK_MONOTONIC in seconds. Changes no errno.
  [[nodiscard]] static std::uint32_t now();

  // `socket` is FdNotes::generation: a number of its own for every socket.
  void remember(std::uint32_t socket, const bundle::Endpoint& peer, const PacketInfo& called,
                std::uint32_t now);
  [[nodiscard]] std::optional<PacketInfo> find(std::uint32_t socket, const bundle::Endpoint& peer,
                                               std::uint32_t now) const;

 private:
  using Key = std::array<std::uint64_t, 4>;
  using Value = std::array<std::uint64_t, 3>;
  // One cache line. `sequence` is odd while the rest is being written.
  struct alignas(64) Slot {
    std::atomic<std::uint64_t> sequence;
    std::array<std::atomic<std::uint64_t>, 7> words;  // key, then value
  };
  struct Content {
    Key key{};
    Value value{};
  };

  [[nodiscard]] static Key key_of(std::uint32_t socket, const bundle::Endpoint& peer);
  [[nodiscard]] static std::size_t first_slot(const Key& key);
  [[nodiscard]] static std::optional<Content> read(const Slot& slot);
  static void write(Slot* slot, const Content& content);

  std::array<Slot, kSize> slots_{};
};

}  // namespace px::shim
