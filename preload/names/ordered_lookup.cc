// SPDX-License-Identifier: MIT
#include "preload/names/ordered_lookup.h"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <utility>

#include "preload/names/source_details.h"
#include "preload/process/signals.h"

namespace px::shim {
namespace {

bool same_address_as(const addrinfo& a, const addrinfo& b) {
  return a.ai_addrlen == b.ai_addrlen && std::memcmp(a.ai_addr, b.ai_addr, a.ai_addrlen) == 0;
}

std::size_t count_addresses(const addrinfo* list) {
  std::size_t count = 0;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    const addrinfo* next = entry->ai_next;
    if (next == nullptr || !same_address_as(*entry, *next)) ++count;
  }
  return count;
}

// Room for the addresses of a list, twice: most names have few.
class Room {
 public:
  explicit Room(std::size_t count) : count_(count) {
    if (count <= kFew) return;
    void* mapped = ::mmap(nullptr, 2 * count * sizeof(Destination), PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) return;
    mapped_ = static_cast<Destination*>(mapped);
    for (std::size_t i = 0; i < 2 * count; ++i) new (mapped_ + i) Destination();
  }
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;
  ~Room() {
    if (mapped_ != nullptr) ::munmap(mapped_, 2 * count_ * sizeof(Destination));
  }

  [[nodiscard]] bool is_there() const { return count_ <= kFew || mapped_ != nullptr; }
  [[nodiscard]] std::span<Destination> first() { return {begin(), count_}; }
  [[nodiscard]] std::span<Destination> second() { return {begin() + count_, count_}; }

 private:
  static constexpr std::size_t kFew = 12;
  [[nodiscard]] Destination* begin() { return mapped_ != nullptr ? mapped_ : few_.data(); }

  const std::size_t count_;
  Destination* mapped_ = nullptr;
  std::array<Destination, 2 * kFew> few_{};
};

// libc lists all socket types of one address before the next one.
void take_list(addrinfo* list, std::span<Destination> destinations) {
  std::size_t i = 0;
  for (addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    Destination& one = destinations[i];
    if (one.first == nullptr) one.first = entry;
    one.last = entry;
    one.family = entry->ai_family;
    if (entry->ai_next == nullptr || !same_address_as(*entry, *entry->ai_next)) ++i;
  }
}

addrinfo* list_of(std::span<const Destination> destinations) {
  for (std::size_t i = 0; i < destinations.size(); ++i) {
    const bool last = i + 1 == destinations.size();
    destinations[i].last->ai_next = last ? nullptr : destinations[i + 1].first;
  }
  return destinations.front().first;
}

plan::Transport transport_of(const addrinfo& entry) {
  if (entry.ai_socktype == SOCK_STREAM) return plan::Transport::kTcp;
  return entry.ai_socktype == SOCK_DGRAM ? plan::Transport::kUdp : plan::Transport::kOther;
}

bool any_reachable(std::span<const Destination> destinations, bool ipv4) {
  return std::any_of(destinations.begin(), destinations.end(), [ipv4](const Destination& one) {
    return one.reachable && one.address.is_ipv4() == ipv4;
  });
}

// Where, of two families, one cannot be reached at all, takes its addresses out, and gives what is
// left; but what was asked for as IPv6 stays, as libc leaves it there. `room` is as large.
std::span<Destination> without_lacking(std::span<Destination> destinations,
                                       std::span<Destination> room) {
  const bool ipv4 = any_reachable(destinations, true);
  const bool ipv6 = any_reachable(destinations, false);
  if (ipv4 == ipv6) return destinations;
  std::size_t kept = 0;
  std::size_t lacking = 0;
  for (const Destination& one : destinations) {
    const bool mapped = one.address.is_ipv4() && one.family == AF_INET6;
    const bool keep = one.address.is_ipv4() == ipv4 || mapped;
    (keep ? destinations[kept++] : room[lacking++]) = one;
  }
  if (lacking > 0) ::freeaddrinfo(list_of(room.first(lacking)));
  return destinations.first(kept);
}

}  // namespace

void OrderedLookup::find_host_source(Destination* destination) {
  const addrinfo& entry = *destination->first;
  const int fd = system_.socket(entry.ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  sockaddr_storage source;
  socklen_t length = sizeof source;
  auto* address = reinterpret_cast<sockaddr*>(&source);
  if (system_.connect(fd, entry.ai_addr, entry.ai_addrlen) == 0 &&
      system_.getsockname(fd, address, &length) == 0) {
    const auto found = bundle::endpoint_from_sockaddr(address, length);
    destination->reachable = found.has_value();
    if (found) destination->source = found->address;
  }
  (void)system_.close(fd);
}

bool OrderedLookup::foresee(std::span<Destination> destinations) {
  bool steered = false;
  for (Destination& one : destinations) {
    const addrinfo& entry = *one.first;
    const auto endpoint = bundle::endpoint_from_sockaddr(entry.ai_addr, entry.ai_addrlen);
    if (!endpoint) return false;
    one.address = endpoint->address;
    const auto verdict = decider_.foresee({.destination = endpoint->address,
                                           .port = endpoint->port,
                                           .scope = endpoint->scope,
                                           .transport = transport_of(entry)});
    if (!verdict) return false;
    one.unsteered = verdict->action == plan::Action::kSystem;
    one.reachable = verdict->action == plan::Action::kVia;
    one.source = verdict->entry.source;
    steered = steered || !one.unsteered;
  }
  return steered;
}

// One that is down for the moment is not lacking: there is no telling while all are.
bool OrderedLookup::lacks(int family, std::span<const Destination> destinations) const {
  const bool reachable = std::any_of(destinations.begin(), destinations.end(),
                                     [](const Destination& one) { return one.reachable; });
  const auto plan = plan_.in_force();
  if (reachable || family == AF_UNSPEC || !plan) return false;
  const auto own = family == AF_INET ? plan::Family::kIpv4 : plan::Family::kIpv6;
  const auto other = family == AF_INET ? plan::Family::kIpv6 : plan::Family::kIpv4;
  return !plan->has_entry_of(own) && plan->has_entry_of(other);
}

int OrderedLookup::getaddrinfo(const char* node, const char* service, const addrinfo* hints,
                               addrinfo** list) {
  const int error = notes_.getaddrinfo(node, service, hints, list);
  if (error != 0 || decider_.is_passthrough() || !plan_.in_force()) return error;
  const bool configured = hints == nullptr || (hints->ai_flags & AI_ADDRCONFIG) != 0;
  return put_in_order(hints == nullptr ? AF_UNSPEC : hints->ai_family, configured, list);
}

int OrderedLookup::put_in_order(int family, bool configured, addrinfo** list) {
  const std::size_t count = count_addresses(*list);
  if (count < 2 && !configured) return 0;
  const KeepErrno keep;
  const BlockSignals block;
  Room room(count);
  if (!room.is_there()) return 0;
  std::span<Destination> destinations = room.first();
  take_list(*list, destinations);
  if (!foresee(destinations)) return 0;
  for (Destination& one : destinations) {
    if (one.unsteered) find_host_source(&one);
  }
  if (configured && lacks(family, destinations)) {
    ::freeaddrinfo(std::exchange(*list, nullptr));
    return EAI_NONAME;
  }
  if (count < 2) return 0;
  // It stands in the first entry, whichever that is.
  char* const canonical_name = std::exchange((*list)->ai_canonname, nullptr);
  if (configured) destinations = without_lacking(destinations, room.second());
  add_source_details(destinations);
  sort_destinations(GaiConf(), destinations, room.second());
  *list = list_of(destinations);
  (*list)->ai_canonname = canonical_name;
  return 0;
}

}  // namespace px::shim
