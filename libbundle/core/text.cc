// SPDX-License-Identifier: MIT
#include "libbundle/core/text.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "libbundle/core/zone.h"

namespace px::bundle {
namespace {

// Each member: its address, `%`, its zone, and the separator before it or the first bracket.
static_assert(kMostMembers * (kAddressTextSize + kZoneTextSize) + sizeof ">" <= kBundleTextSize);

std::strong_ordering order(const Endpoint& a, const Endpoint& b) {
  if (a.address.is_ipv4() != b.address.is_ipv4()) {
    return a.address.is_ipv4() ? std::strong_ordering::less : std::strong_ordering::greater;
  }
  if (const auto bytes = a.address <=> b.address; bytes != 0) return bytes;
  if (!a.address.is_scoped()) return std::strong_ordering::equal;
  return a.scope <=> b.scope;
}

bool before(const Endpoint& a, const Endpoint& b) {
  return order(a, b) < 0;
}

bool group_before(std::span<const Endpoint> a, std::span<const Endpoint> b) {
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(), before);
}

class Text {
 public:
  explicit Text(std::span<char, kBundleTextSize> buffer) : buffer_(buffer) {}

  void add(std::string_view text) {
    text.copy(buffer_.data() + size_, text.size());
    size_ += text.size();
  }

  std::string_view finished() {
    buffer_[size_] = '\0';
    return {buffer_.data(), size_};
  }

 private:
  std::span<char, kBundleTextSize> buffer_;
  std::size_t size_ = 0;
};

}  // namespace

Bundle canonical(const Bundle& bundle) {
  Bundle sorted = bundle;
  std::array<std::span<const Endpoint>, kMostMembers> groups;
  std::size_t count = 0;
  for (std::size_t first = 0; first < sorted.count; first += groups[count++].size()) {
    groups[count] = sorted.group_at(first);
    const auto begin = sorted.endpoints.begin() + static_cast<std::ptrdiff_t>(first);
    std::sort(begin, begin + static_cast<std::ptrdiff_t>(groups[count].size()), before);
  }
  std::sort(groups.begin(), groups.begin() + static_cast<std::ptrdiff_t>(count), group_before);
  Bundle result = bundle;
  result.count = 0;
  result.alternatives = 0;
  for (const auto& group : std::span(groups).first(count)) {
    if (result.count != 0) result.alternatives |= 1u << result.count;
    std::copy(group.begin(), group.end(), result.endpoints.begin() + result.count);
    result.count += static_cast<std::uint32_t>(group.size());
  }
  return result;
}

std::strong_ordering compare(const Bundle& a, const Bundle& b) {
  const Bundle left = canonical(a);
  const Bundle right = canonical(b);
  for (std::size_t i = 0; i < left.count && i < right.count; ++i) {
    if (const auto members = order(left.endpoints[i], right.endpoints[i]); members != 0) {
      return members;
    }
  }
  if (left.count != right.count) return left.count <=> right.count;
  return left.alternatives <=> right.alternatives;
}

std::string_view bundle_text(const Bundle& bundle, std::span<char, kBundleTextSize> buffer) {
  const Bundle sorted = canonical(bundle);
  Text text(buffer);
  text.add("<");
  for (std::size_t i = 0; i < sorted.count; ++i) {
    const Endpoint& endpoint = sorted.endpoints[i];
    if (i != 0) text.add((sorted.alternatives >> i & 1) != 0 ? "|" : ",");
    std::array<char, kAddressTextSize> address;
    text.add(address_text(endpoint.address, address));
    if (endpoint.scope == 0 || !endpoint.address.is_scoped()) continue;
    std::array<char, kZoneTextSize> zone;
    text.add("%");
    text.add(zone_text(endpoint.scope, zone));
  }
  text.add(">");
  return text.finished();
}

}  // namespace px::bundle
