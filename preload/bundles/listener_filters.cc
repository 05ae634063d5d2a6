// SPDX-License-Identifier: MIT
#include "preload/bundles/listener_filters.h"

#include <sys/socket.h>

#include <algorithm>
#include <bit>
#include <functional>

namespace px::shim {
namespace {

using bundle::Endpoint;

using EndpointWords = std::array<std::uint64_t, 3>;

EndpointWords words_of(const Endpoint& endpoint) {
  const auto halves = std::bit_cast<std::array<std::uint64_t, 2>>(endpoint.address.bytes);
  return {halves[0], halves[1], std::uint64_t{endpoint.scope} << 16 | endpoint.port};
}

Endpoint endpoint_of(const EndpointWords& words) {
  Endpoint endpoint;
  endpoint.address.bytes =
      std::bit_cast<std::array<std::uint8_t, 16>>(std::array<std::uint64_t, 2>{words[0], words[1]});
  endpoint.port = static_cast<std::uint16_t>(words[2]);
  endpoint.scope = static_cast<std::uint32_t>(words[2] >> 16);
  return endpoint;
}

}  // namespace

bool admits(const bundle::Bundle& set, const Endpoint& called) {
  const auto holds = [&called](const Endpoint& member) {
    if (member.address.is_unspecified()) {
      return !member.address.is_ipv4() || called.address.is_ipv4();
    }
    return member.address == called.address &&
           (member.scope == 0 || called.scope == 0 || member.scope == called.scope);
  };
  return std::ranges::any_of(set.members(), holds);
}

std::optional<ListenerFilters::Place> ListenerFilters::reserve() {
  used_.store(true, std::memory_order_relaxed);
  for (;;) {
    if (const auto place = claim()) return place;
    if (!sweep()) return std::nullopt;
  }
}

std::optional<ListenerFilters::Place> ListenerFilters::claim() {
  for (Place place = 0; place < kSize; ++place) {
    Cookie nobody = 0;
    if (slots_[place].cookie.compare_exchange_strong(nobody, kReserved,
                                                     std::memory_order_acq_rel)) {
      // No reader is to see the words that are filled in next beside the cookie of before.
      std::atomic_thread_fence(std::memory_order_release);
      return place;
    }
  }
  return std::nullopt;
}

void ListenerFilters::fill(Place place, Cookie cookie, const ListenerFilter& filter) {
  Slot& slot = slots_[place];
  slot.count.store(filter.set.count, std::memory_order_relaxed);
  slot.in_kernel.store(filter.in_kernel ? 1 : 0, std::memory_order_relaxed);
  for (std::size_t i = 0; i < filter.set.count; ++i) {
    const EndpointWords words = words_of(filter.set.endpoints[i]);
    for (std::size_t j = 0; j < words.size(); ++j) {
      slot.words[i * words.size() + j].store(words[j], std::memory_order_relaxed);
    }
  }
  slot.cookie.store(cookie, std::memory_order_release);
}

void ListenerFilters::leave(Place place) {
  slots_[place].cookie.store(0, std::memory_order_release);
}

ListenerFilter ListenerFilters::read(const Slot& slot) {
  ListenerFilter filter;
  const std::uint64_t count = slot.count.load(std::memory_order_relaxed);
  filter.set.count =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(count, bundle::kMostMembers));
  filter.in_kernel = slot.in_kernel.load(std::memory_order_relaxed) != 0;
  for (std::size_t i = 0; i < filter.set.count; ++i) {
    EndpointWords words;
    for (std::size_t j = 0; j < words.size(); ++j) {
      words[j] = slot.words[i * words.size() + j].load(std::memory_order_relaxed);
    }
    filter.set.endpoints[i] = endpoint_of(words);
  }
  return filter;
}

std::optional<ListenerFilter> ListenerFilters::find(int fd) const {
  if (empty()) return std::nullopt;
  const Cookie cookie = cookie_of(fd);
  if (cookie == 0) return std::nullopt;
  for (const Slot& slot : slots_) {
    if (slot.cookie.load(std::memory_order_acquire) != cookie) continue;
    const ListenerFilter filter = read(slot);
    // Another thread may have closed the socket, and the place been taken meanwhile.
    std::atomic_thread_fence(std::memory_order_acquire);
    if (slot.cookie.load(std::memory_order_relaxed) == cookie) return filter;
  }
  return std::nullopt;
}

bool ListenerFilters::claims(const Endpoint& endpoint) {
  const auto claiming = [&endpoint](const Slot& slot) {
    const Cookie cookie = slot.cookie.load(std::memory_order_acquire);
    if (cookie == 0 || cookie == kReserved) return false;
    const bundle::Bundle set = read(slot).set;
    return set.count > 0 && set.endpoints[0].port == endpoint.port && admits(set, endpoint);
  };
  if (empty() || std::ranges::none_of(slots_, claiming)) return false;
  (void)sweep();
  return std::ranges::any_of(slots_, claiming);
}

ListenerFilters::Cookie ListenerFilters::cookie_of(int fd) const {
  const KeepErrno keep;
  Cookie cookie = 0;
  socklen_t length = sizeof cookie;
  if (system_.getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &length) != 0) return 0;
  return cookie;
}

// Closing is not watched, so the descriptors are looked through. A place that is filled after
// `cookies` was read is not in it, and one that was filled before has a descriptor with its role.
bool ListenerFilters::sweep() {
  std::array<Cookie, kSize> cookies;
  std::array<bool, kSize> taken;
  for (Place place = 0; place < kSize; ++place) {
    cookies[place] = slots_[place].cookie.load(std::memory_order_acquire);
    taken[place] = cookies[place] == kReserved;
  }
  for (std::size_t fd = 0; fd < FdTable::kSize; ++fd) {
    if (fds_.notes(static_cast<int>(fd)).role != BundleRole::kBound) continue;
    const auto found = std::ranges::find(cookies, cookie_of(static_cast<int>(fd)));
    if (found != cookies.end() && *found != 0)
      taken[static_cast<Place>(found - cookies.begin())] = true;
  }
  for (Place place = 0; place < kSize; ++place) {
    if (taken[place] || cookies[place] == 0) continue;
    slots_[place].cookie.compare_exchange_strong(cookies[place], 0, std::memory_order_acq_rel);
  }
  return !std::ranges::all_of(taken, std::identity{});
}

}  // namespace px::shim
