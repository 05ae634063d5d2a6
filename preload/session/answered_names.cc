// SPDX-License-Identifier: MIT
#include "preload/session/answered_names.h"

#include <sys/auxv.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace px::shim {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
// In the place of Slot::used.
constexpr std::uint64_t kGivenUp = ~std::uint64_t{0};

bool are_same(const dns::NameChain& a, const dns::NameChain& b) {
  return std::ranges::equal(a.wire(), b.wire());
}

}  // namespace

bool AnsweredNames::empty() const {
  return table_->tickets.load(kRelaxed) == 0;
}

void AnsweredNames::choose_factors() {
  if (table_->factors[1].load(kRelaxed) != 0) return;
  std::array<std::uint64_t, 2> random{};
  const auto* bytes = std::bit_cast<const std::byte*>(::getauxval(AT_RANDOM));
  if (bytes != nullptr) std::memcpy(random.data(), bytes, sizeof random);
  for (std::size_t i = 0; i < random.size(); ++i) {
    std::uint64_t none = 0;
    (void)table_->factors[i].compare_exchange_strong(none, random[i] | 1, kRelaxed);
  }
}

std::size_t AnsweredNames::place_of(const Words& address) const {
  static_assert(kPlaces == 128);
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < address.size(); ++i) {
    sum += address[i] * table_->factors[i].load(kRelaxed);
  }
  return sum >> 57;
}

void AnsweredNames::read(Slot* slot, const Words& address, Found* found, dns::NameChain* names) {
  const std::uint64_t before = slot->sequence.load(std::memory_order_acquire);
  const std::uint64_t asked = slot->asked.load(kRelaxed);
  if (before % 2 != 0) {
    found->busy = found->busy || slot->used.load(kRelaxed) != kGivenUp;
    return;
  }
  if (asked <= found->asked || slot->address[0].load(kRelaxed) != address[0] ||
      slot->address[1].load(kRelaxed) != address[1]) {
    return;
  }
  std::array<std::uint64_t, kNameWords> words;
  for (std::size_t i = 0; i < words.size(); ++i) words[i] = slot->names[i].load(kRelaxed);
  std::atomic_thread_fence(std::memory_order_acquire);
  if (slot->sequence.load(kRelaxed) != before) {
    found->busy = true;
    return;
  }
  found->slot = slot;
  found->asked = asked;
  std::array<std::uint8_t, dns::NameChain::kRoom> bytes;
  std::memcpy(bytes.data(), words.data(), bytes.size());
  *names = dns::NameChain::from_wire(bytes);
}

bool AnsweredNames::write(Slot* slot, std::uint64_t ticket, const Words& address,
                          const dns::NameChain& names) {
  std::uint64_t before = slot->sequence.load(kRelaxed);
  if (before % 2 != 0 || !slot->sequence.compare_exchange_strong(before, before + 1, kRelaxed)) {
    return false;
  }
  std::atomic_thread_fence(std::memory_order_release);
  slot->used.store(ticket, kRelaxed);
  std::array<std::uint64_t, kNameWords> words{};
  std::memcpy(words.data(), names.wire().data(), names.wire().size());
  for (std::size_t i = 0; i < words.size(); ++i) slot->names[i].store(words[i], kRelaxed);
  slot->address[0].store(address[0], kRelaxed);
  slot->address[1].store(address[1], kRelaxed);
  slot->asked.store(ticket, kRelaxed);
  slot->used.store(ticket, kRelaxed);
  slot->sequence.store(before + 2, std::memory_order_release);
  return true;
}

AnsweredNames::Found AnsweredNames::newest(const Words& address, dns::NameChain* names) const {
  Found found;
  for (Slot& slot : table_->places[place_of(address)]) {
    read(&slot, address, &found, names);
  }
  return found;
}

AnsweredNames::Slot* AnsweredNames::next_of(Place& place, const Words& address, const Slot* kept) {
  Slot* oldest = nullptr;
  std::uint64_t least = ~std::uint64_t{0};
  for (Slot& slot : place) {
    if (slot.sequence.load(kRelaxed) % 2 != 0 || &slot == kept) continue;
    const bool same = slot.address[0].load(kRelaxed) == address[0] &&
                      slot.address[1].load(kRelaxed) == address[1];
    const std::uint64_t last = slot.used.load(kRelaxed);
    const std::uint64_t used = same || last == kGivenUp ? 0 : last;
    if (used >= least) continue;
    least = used;
    oldest = &slot;
  }
  return oldest;
}

// What the address had stays until the new names are whole.
void AnsweredNames::remember(const bundle::Address& address, const dns::NameChain& names) {
  if (names.is_empty()) return;
  choose_factors();
  const auto words = std::bit_cast<Words>(address.bytes);
  const std::uint64_t ticket = table_->tickets.fetch_add(1, kRelaxed) + 1;
  dns::NameChain present;
  Found before = newest(words, &present);
  // No other writing has the same ticket: the slot is still what was read.
  if (before.slot != nullptr && are_same(present, names) &&
      before.slot->asked.compare_exchange_strong(before.asked, ticket, kRelaxed)) {
    before.slot->used.store(ticket, kRelaxed);
    return;
  }
  // Another thread may take the same slot; each that fails has found one that succeeded.
  for (std::size_t i = 0; i < kWays; ++i) {
    Slot* slot = next_of(table_->places[place_of(words)], words, before.slot);
    if (slot == nullptr || write(slot, ticket, words, names)) return;
  }
}

// A process that is killed while it writes leaves its slot as it is, for ever. Nobody takes it
// over, since it may also be stopped, and write on later; but nobody waits for it either, until it
// has.
void AnsweredNames::give_up(Place& place) {
  for (Slot& slot : place) {
    if (slot.sequence.load(kRelaxed) % 2 != 0) slot.used.store(kGivenUp, kRelaxed);
  }
}

// Two threads that change one address can leave it without whole names, for as long as it takes to
// write them.
bool AnsweredNames::find(const bundle::Address& address, dns::NameChain* names) const {
  constexpr int kMostLooks = 1000;
  Found found{.busy = true};
  for (int i = 0; i < kMostLooks && found.slot == nullptr && found.busy; ++i) {
    found = newest(std::bit_cast<Words>(address.bytes), names);
  }
  if (found.slot == nullptr) {
    if (found.busy) give_up(table_->places[place_of(std::bit_cast<Words>(address.bytes))]);
    return false;
  }
  const std::uint64_t now = table_->tickets.load(kRelaxed);
  if (found.slot->used.load(kRelaxed) != now) found.slot->used.store(now, kRelaxed);
  return true;
}

}  // namespace px::shim
