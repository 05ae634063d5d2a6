// SPDX-License-Identifier: MIT
#include "preload/names/bundle_cache.h"

#include <bit>
#include <cstring>

namespace px::shim {
namespace {

using bundle::Bundle;
using bundle::Endpoint;

constexpr auto kRelaxed = std::memory_order_relaxed;

bool same_host(const Endpoint& a, const Endpoint& b) {
  return a.address == b.address && (a.scope == b.scope || !a.address.is_scoped());
}

std::uint64_t filter_bit(const Endpoint& endpoint) {
  constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;  // 2^64 divided by the golden ratio
  const auto halves = std::bit_cast<std::array<std::uint64_t, 2>>(endpoint.address.bytes);
  return std::uint64_t{1} << (((std::rotl(halves[0], 29) ^ halves[1]) * kOdd) >> 58);
}

// As far as `part` goes where it is truncated, and to the end where it is not.
bool begins_with(const Bundle& whole, const Bundle& part, bool with_ports) {
  if (part.count == 0 || part.count > whole.count) return false;
  if (!part.truncated && part.count != whole.count) return false;
  const std::uint32_t compared = (std::uint32_t{2} << (part.count - 1)) - 1;
  if (((part.alternatives ^ whole.alternatives) & compared) != 0) return false;
  for (std::uint32_t i = 0; i < part.count; ++i) {
    if (!same_host(whole.endpoints[i], part.endpoints[i])) return false;
    if (with_ports && whole.endpoints[i].port != part.endpoints[i].port) return false;
  }
  return true;
}

}  // namespace

bool BundleCache::read(const Slot& slot, Bundle* bundle, NameWords* name) {
  const std::uint64_t before = slot.sequence.load(std::memory_order_acquire);
  if (before % 2 != 0) return false;
  BundleWords words;
  for (std::size_t i = 0; i < words.size(); ++i) words[i] = slot.bundle[i].load(kRelaxed);
  if (name != nullptr) {
    for (std::size_t i = 0; i < name->size(); ++i) (*name)[i] = slot.name[i].load(kRelaxed);
  }
  std::atomic_thread_fence(std::memory_order_acquire);
  if (slot.sequence.load(kRelaxed) != before) return false;
  *bundle = {};
  bundle->count = static_cast<std::uint32_t>(words[0] >> 32 & 0xff);
  if (bundle->count == 0 || bundle->count > bundle::kMostMembers) return false;
  bundle->alternatives =
      static_cast<std::uint32_t>(words[0]) & ((std::uint32_t{2} << (bundle->count - 1)) - 2);
  bundle->implicit = (words[0] >> 40 & 1) != 0;
  bundle->truncated = (words[0] >> 41 & 1) != 0;
  for (std::uint32_t i = 0; i < bundle->count; ++i) {
    const std::uint64_t* at = words.data() + 1 + std::size_t{3} * i;
    Endpoint& endpoint = bundle->endpoints[i];
    std::memcpy(endpoint.address.bytes.data(), at, sizeof endpoint.address.bytes);
    endpoint.scope = static_cast<std::uint32_t>(at[2]);
    endpoint.port = static_cast<std::uint16_t>(at[2] >> 32);
  }
  return true;
}

bool BundleCache::write(Slot* slot, std::uint64_t ticket, const Bundle& bundle,
                        const NameWords& name) {
  std::uint64_t before = slot->sequence.load(kRelaxed);
  if (before % 2 != 0 || !slot->sequence.compare_exchange_strong(before, before + 1, kRelaxed)) {
    return false;
  }
  std::atomic_thread_fence(std::memory_order_release);
  BundleWords words{};
  words[0] = std::uint64_t{bundle.truncated} << 41 | std::uint64_t{bundle.implicit} << 40 |
             std::uint64_t{bundle.count} << 32 | bundle.alternatives;
  std::uint64_t filter = 0;
  for (std::uint32_t i = 0; i < bundle.count; ++i) {
    const Endpoint& endpoint = bundle.endpoints[i];
    std::uint64_t* at = words.data() + 1 + std::size_t{3} * i;
    std::memcpy(at, endpoint.address.bytes.data(), sizeof endpoint.address.bytes);
    at[2] = std::uint64_t{endpoint.port} << 32 | endpoint.scope;
    filter |= filter_bit(endpoint);
  }
  for (std::size_t i = 0; i < words.size(); ++i) slot->bundle[i].store(words[i], kRelaxed);
  for (std::size_t i = 0; i < name.size(); ++i) slot->name[i].store(name[i], kRelaxed);
  slot->filter.store(filter, kRelaxed);
  slot->ticket.store(ticket, kRelaxed);
  slot->sequence.store(before + 2, std::memory_order_release);
  return true;
}

BundleCache::Slot* BundleCache::oldest() {
  Slot* oldest = nullptr;
  std::uint64_t least = ~std::uint64_t{0};
  for (Slot& slot : table_->slots) {
    const std::uint64_t ticket = slot.ticket.load(kRelaxed);
    if (ticket >= least || slot.sequence.load(kRelaxed) % 2 != 0) continue;
    least = ticket;
    oldest = &slot;
  }
  return oldest;
}

void BundleCache::remember(const Bundle& bundle, std::string_view name) {
  if (bundle.count == 0 || bundle.count > bundle::kMostMembers) return;
  NameWords words{};
  if (!name.empty() && name.size() < kNameSize) std::memcpy(words.data(), name.data(), name.size());
  const std::uint64_t ticket = table_->tickets.fetch_add(1, kRelaxed) + 1;
  Bundle present;
  Bundle whole = bundle;
  whole.truncated = false;
  const Slot* same = find_whole(whole, true, &present, nullptr);
  if (same != nullptr &&
      write(&table_->slots[static_cast<std::size_t>(same - table_->slots.data())], ticket, bundle,
            words)) {
    return;
  }
  // Another thread may take the same slot; each that fails has found one that succeeded.
  for (std::size_t i = 0; i < kSize; ++i) {
    Slot* slot = oldest();
    if (slot == nullptr || write(slot, ticket, bundle, words)) return;
  }
}

bool BundleCache::find(const Endpoint& endpoint, Bundle* found) const {
  const std::uint64_t bit = filter_bit(endpoint);
  std::uint64_t newest = 0;
  bool exact = false;
  for (const Slot& slot : table_->slots) {
    if ((slot.filter.load(kRelaxed) & bit) == 0) continue;
    const std::uint64_t ticket = slot.ticket.load(kRelaxed);
    Bundle bundle;
    if (!read(slot, &bundle, nullptr)) continue;
    for (const Endpoint& member : bundle.members()) {
      if (!same_host(member, endpoint)) continue;
      const bool port_fits = member.port == endpoint.port;
      if (!port_fits && member.port != 0) continue;
      if (newest != 0 && (exact != port_fits ? exact : ticket <= newest)) continue;
      newest = ticket;
      exact = port_fits;
      *found = bundle;
    }
  }
  if (newest == 0) return false;
  for (std::uint32_t i = 0; i < found->count; ++i) found->endpoints[i].port = endpoint.port;
  return true;
}

const BundleCache::Slot* BundleCache::find_whole(const Bundle& part, bool with_ports, Bundle* whole,
                                                 NameWords* name) const {
  if (part.count == 0 || part.count > bundle::kMostMembers) return nullptr;
  const std::uint64_t bit = filter_bit(part.endpoints[0]);
  const Slot* found = nullptr;
  std::uint64_t newest = 0;
  for (const Slot& slot : table_->slots) {
    if ((slot.filter.load(kRelaxed) & bit) == 0) continue;
    const std::uint64_t ticket = slot.ticket.load(kRelaxed);
    Bundle bundle;
    NameWords words{};
    if (ticket <= newest || !read(slot, &bundle, name == nullptr ? nullptr : &words)) continue;
    if (!begins_with(bundle, part, with_ports)) continue;
    newest = ticket;
    found = &slot;
    *whole = bundle;
    if (name != nullptr) *name = words;
  }
  return found;
}

bool BundleCache::complete(Bundle* bundle) const {
  if (!bundle->truncated) return true;
  Bundle whole;
  if (find_whole(*bundle, false, &whole, nullptr) == nullptr) return false;
  for (std::uint32_t i = 0; i < whole.count; ++i) {
    whole.endpoints[i].port = bundle->endpoints[0].port;
  }
  *bundle = whole;
  return true;
}

std::string_view BundleCache::name_of(const Bundle& bundle,
                                      std::span<char, kNameSize> buffer) const {
  Bundle whole;
  NameWords name{};
  if (find_whole(bundle, false, &whole, &name) == nullptr) return {};
  std::memcpy(buffer.data(), name.data(), kNameSize);
  buffer[kNameSize - 1] = '\0';
  return buffer.data();
}

}  // namespace px::shim
