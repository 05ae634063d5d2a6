// SPDX-License-Identifier: MIT
#include "preload/names/members_text.h"

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>

namespace px::shim {
namespace {

using bundle::Member;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::strong_ordering compare_text(std::string_view a, std::string_view b) {
  return std::lexicographical_compare_three_way(
      a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) <=> lower(y); });
}

int rank(const Member& member) {
  if (!member.numeric) return 2;
  return member.address.is_ipv4() ? 0 : 1;
}

std::strong_ordering compare(const Member& a, const Member& b) {
  if (const auto order = rank(a) <=> rank(b); order != 0) return order;
  if (!a.numeric) return compare_text(a.text, b.text);
  if (const auto order = a.address <=> b.address; order != 0) return order;
  return compare_text(a.zone, b.zone);
}

class Writer {
 public:
  explicit Writer(std::span<char> buffer) : buffer_(buffer) {}

  void put(char c) {
    if (size_ < buffer_.size()) buffer_[size_] = c;
    ++size_;
  }
  void put(const Member& member) {
    std::array<char, bundle::kAddressTextSize> buffer;
    const std::string_view text =
        member.numeric ? bundle::address_text(member.address, buffer) : member.text;
    for (const char c : text) put(lower(c));
    if (member.zone.empty()) return;
    put('%');
    for (const char c : member.zone) put(c);
  }
  [[nodiscard]] std::string_view text() const {
    return size_ <= buffer_.size() ? std::string_view(buffer_.data(), size_) : std::string_view();
  }

 private:
  std::span<char> buffer_;
  std::size_t size_ = 0;
};

}  // namespace

std::string_view members_text(std::span<const Member> members, std::span<char> buffer) {
  std::array<const Member*, bundle::kMostMembers> least{};  // of each alternative
  std::array<const Member*, bundle::kMostMembers> sorted{};
  const std::size_t count = std::min(members.size(), sorted.size());
  bool named = false;
  for (std::size_t i = 0; i < count; ++i) {
    const Member& member = members[i];
    sorted[i] = &member;
    named = named || !member.numeric;
    const Member*& first = least[member.group % least.size()];
    if (first == nullptr || compare(member, *first) < 0) first = &member;
  }
  if (!named) return {};
  const auto before = [&least](const Member* a, const Member* b) {
    const auto groups = compare(*least[a->group % least.size()], *least[b->group % least.size()]);
    if (groups != 0) return groups < 0;
    if (a->group != b->group) return a->group < b->group;
    return compare(*a, *b) < 0;
  };
  std::sort(sorted.begin(), sorted.begin() + count, before);
  Writer writer(buffer);
  for (std::size_t i = 0; i < count; ++i) {
    const Member* previous = i == 0 ? nullptr : sorted[i - 1];
    const bool same_group = previous != nullptr && previous->group == sorted[i]->group;
    if (same_group && compare(*previous, *sorted[i]) == 0) continue;
    writer.put(previous == nullptr ? '<' : same_group ? ',' : '|');
    writer.put(*sorted[i]);
  }
  writer.put('>');
  return writer.text();
}

}  // namespace px::shim
