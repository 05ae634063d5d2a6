// SPDX-License-Identifier: MIT
#include "preload/datagrams/local_address_cache.h"

#include <bit>

#include "preload/process/clock.h"

namespace px::shim {
namespace {

using Halves = std::array<std::uint64_t, 2>;

Halves halves_of(const bundle::Address& address) {
  return std::bit_cast<Halves>(address.bytes);
}

}  // namespace

std::uint32_t LocalAddressCache::now() {
  return static_cast<std::uint32_t>(coarse_monotonic_ms() / 1000);
}

LocalAddressCache::Key LocalAddressCache::key_of(std::uint32_t socket,
                                                 const bundle::Endpoint& peer) {
  const Halves address = halves_of(peer.address);
  return {address[0], address[1], std::uint64_t{socket} << 32 | peer.port, peer.scope};
}

// Of a pair of neighbours.
std::size_t LocalAddressCache::first_slot(const Key& key) {
  constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;  // 2^64 divided by the golden ratio
  std::uint64_t mixed = 0;
  for (const std::uint64_t word : key) mixed = (std::rotl(mixed, 29) ^ word) * kOdd;
  constexpr int kPairBits = std::countr_zero(kSize / 2);
  return static_cast<std::size_t>(mixed >> (64 - kPairBits)) * 2;
}

std::optional<LocalAddressCache::Content> LocalAddressCache::read(const Slot& slot) {
  const std::uint64_t before = slot.sequence.load(std::memory_order_acquire);
  if (before % 2 != 0) return std::nullopt;
  Content content;
  for (std::size_t i = 0; i < content.key.size(); ++i) {
    content.key[i] = slot.words[i].load(std::memory_order_relaxed);
  }
  for (std::size_t i = 0; i < content.value.size(); ++i) {
    content.value[i] = slot.words[content.key.size() + i].load(std::memory_order_relaxed);
  }
  std::atomic_thread_fence(std::memory_order_acquire);
  if (slot.sequence.load(std::memory_order_relaxed) != before) return std::nullopt;
  return content;
}

void LocalAddressCache::write(Slot* slot, const Content& content) {
  std::uint64_t before = slot->sequence.load(std::memory_order_relaxed);
  if (before % 2 != 0 ||
      !slot->sequence.compare_exchange_strong(before, before + 1, std::memory_order_relaxed)) {
    return;
  }
  std::atomic_thread_fence(std::memory_order_release);
  for (std::size_t i = 0; i < content.key.size(); ++i) {
    slot->words[i].store(content.key[i], std::memory_order_relaxed);
  }
  for (std::size_t i = 0; i < content.value.size(); ++i) {
    slot->words[content.key.size() + i].store(content.value[i], std::memory_order_relaxed);
  }
  slot->sequence.store(before + 2, std::memory_order_release);
}

// The first of the pair is the one last heard of.
void LocalAddressCache::remember(std::uint32_t socket, const bundle::Endpoint& peer,
                                 const PacketInfo& called, std::uint32_t now) {
  const Halves address = halves_of(called.address);
  const Content content{key_of(socket, peer),
                        {address[0], address[1], std::uint64_t{now} << 32 | called.interface}};
  Slot* first = &slots_[first_slot(content.key)];
  const auto present = read(*first);
  if (present && present->key == content.key) {
    if (present->value != content.value) write(first, content);
    return;
  }
  if (present) write(first + 1, *present);
  write(first, content);
}

std::optional<PacketInfo> LocalAddressCache::find(std::uint32_t socket,
                                                  const bundle::Endpoint& peer,
                                                  std::uint32_t now) const {
  const Key key = key_of(socket, peer);
  const std::size_t pair = first_slot(key);
  for (std::size_t i = pair; i < pair + 2; ++i) {
    const auto content = read(slots_[i]);
    if (!content || content->key != key) continue;
    if (now - static_cast<std::uint32_t>(content->value[2] >> 32) > kLifetime) continue;
    return PacketInfo{.address = {std::bit_cast<decltype(bundle::Address::bytes)>(
                          Halves{content->value[0], content->value[1]})},
                      .interface = static_cast<std::uint32_t>(content->value[2])};
  }
  return std::nullopt;
}

}  // namespace px::shim
