// SPDX-License-Identifier: MIT
#include "preload/names/recent_answers.h"

#include <algorithm>
#include <cstring>
#include <iterator>

#include "dns/packet.h"

namespace px::shim {
namespace {

using Words = std::span<std::atomic<std::uint64_t>>;

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr std::size_t kWordSize = sizeof(std::uint64_t);
// A hash of FNV-1a, 64 bits.
constexpr std::uint64_t kHashBegin = 0xcbf29ce484222325;
constexpr std::uint64_t kHashFactor = 0x100000001b3;

void store(Words words, std::span<const std::byte> bytes) {
  for (std::size_t i = 0; i * kWordSize < bytes.size(); ++i) {
    const auto part = bytes.subspan(i * kWordSize);
    std::uint64_t word = 0;
    std::memcpy(&word, part.data(), std::min(part.size(), kWordSize));
    words[i].store(word, kRelaxed);
  }
}

void load(std::span<const std::atomic<std::uint64_t>> words, std::span<std::byte> bytes) {
  for (std::size_t i = 0; i * kWordSize < bytes.size(); ++i) {
    const auto part = bytes.subspan(i * kWordSize);
    const std::uint64_t word = words[i].load(kRelaxed);
    std::memcpy(part.data(), &word, std::min(part.size(), kWordSize));
  }
}

// Only what an answer depends on is compared, and no search list of the program's is.
bool is_kept(const plan::Lookup& asked) {
  return asked.search_length == 0;
}

}  // namespace

RecentAnswers::Head RecentAnswers::head_of(const Era& era, const plan::Lookup& asked) {
  Head head{};
  head.era = era;
  std::copy(std::begin(asked.types), std::end(asked.types), head.types);
  head.query_class = asked.query_class;
  head.flags = asked.flags;
  head.ndots = asked.ndots;
  head.name_length = asked.name_length;
  std::copy_n(asked.name, asked.name_length, head.name);
  return head;
}

std::uint64_t RecentAnswers::hash_of(const plan::Lookup& asked) {
  std::uint64_t hash = kHashBegin;
  const auto stir = [&hash](std::uint64_t value) { hash = (hash ^ value) * kHashFactor; };
  stir(asked.types[0]);
  stir(asked.types[1]);
  for (const std::uint8_t byte : std::span(asked.name).first(asked.name_length)) stir(byte);
  hash ^= hash >> 32;
  return hash | 1 << 8;
}

bool RecentAnswers::read(const Slot& slot, const Head& wanted, std::int64_t now_ms, Head* head,
                         LookupReply* reply) {
  const std::uint64_t before = slot.sequence.load(std::memory_order_acquire);
  if (before % 2 != 0) return false;
  load(slot.head, std::as_writable_bytes(std::span(head, 1)));
  // As long as it is not known that the words are of one answer, the lengths may be any.
  const bool same =
      head->era == wanted.era && std::ranges::equal(head->types, wanted.types) &&
      head->query_class == wanted.query_class && head->flags == wanted.flags &&
      head->ndots == wanted.ndots && head->name_length == wanted.name_length &&
      std::ranges::equal(head->name, wanted.name) && now_ms >= head->asked_at_ms &&
      now_ms < head->until_ms &&
      std::ranges::all_of(head->lengths, [](std::uint32_t length) { return length <= kMostBytes; });
  if (!same || std::size_t{head->lengths[0]} + head->lengths[1] > kMostBytes) return false;
  load(slot.bytes, reply->refill(head->outcome, head->lengths));
  std::atomic_thread_fence(std::memory_order_acquire);
  if (slot.sequence.load(kRelaxed) == before) return true;
  reply->clear();
  return false;
}

bool RecentAnswers::find(const Era& era, const plan::Lookup& asked, std::int64_t now_ms,
                         LookupReply* reply) {
  if (!is_kept(asked) || tickets_.load(kRelaxed) == 0) return false;
  const std::uint64_t question = hash_of(asked);
  const Head wanted = head_of(era, asked);
  for (Slot& slot : place_of(question)) {
    Head head;
    if (slot.question.load(kRelaxed) != question) continue;
    if (!read(slot, wanted, now_ms, &head, reply)) continue;
    slot.used.store(tickets_.fetch_add(1, kRelaxed) + 1, kRelaxed);
    const auto age = static_cast<std::uint32_t>((now_ms - head.asked_at_ms) / 1000);
    for (std::size_t i = 0; i < plan::kLookupQuestions; ++i) {
      dns::age(reply->packet_to_change(i), age);
    }
    return true;
  }
  return false;
}

void RecentAnswers::write(Slot* slot, const Head& head, std::span<const std::byte> bytes) {
  std::uint64_t before = slot->sequence.load(kRelaxed);
  if (before % 2 != 0 || !slot->sequence.compare_exchange_strong(before, before + 1, kRelaxed)) {
    return;
  }
  std::atomic_thread_fence(std::memory_order_release);
  store(slot->head, std::as_bytes(std::span(&head, 1)));
  store(slot->bytes, bytes);
  slot->sequence.store(before + 2, std::memory_order_release);
}

RecentAnswers::Slot* RecentAnswers::next_of(Place& place, std::uint64_t question) {
  Slot* next = nullptr;
  std::uint64_t least = ~std::uint64_t{0};
  for (Slot& slot : place) {
    if (slot.sequence.load(kRelaxed) % 2 != 0) continue;
    if (slot.question.load(kRelaxed) == question) return &slot;
    const std::uint64_t used = slot.used.load(kRelaxed);
    if (used >= least) continue;
    least = used;
    next = &slot;
  }
  return next;
}

void RecentAnswers::remember(const Era& era, const plan::Lookup& asked, const LookupReply& reply,
                             std::int64_t asked_at_ms) {
  const auto bytes = reply.bytes();
  if (!is_kept(asked) || reply.lifetime_s() == 0 || bytes.size() > kMostBytes) return;
  const std::uint64_t question = hash_of(asked);
  Slot* const slot = next_of(place_of(question), question);
  if (slot == nullptr) return;
  Head head = head_of(era, asked);
  head.asked_at_ms = asked_at_ms;
  head.until_ms = asked_at_ms + std::int64_t{reply.lifetime_s()} * 1000;
  head.outcome = reply.outcome();
  for (std::size_t i = 0; i < plan::kLookupQuestions; ++i) {
    head.lengths[i] = static_cast<std::uint32_t>(reply.packet(i).size());
  }
  write(slot, head, bytes);
  slot->question.store(question, kRelaxed);
  slot->used.store(tickets_.fetch_add(1, kRelaxed) + 1, kRelaxed);
}

}  // namespace px::shim
