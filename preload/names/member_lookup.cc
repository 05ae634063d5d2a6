// SPDX-License-Identifier: MIT
#include "preload/names/member_lookup.h"

#include <netdb.h>

#include <cstring>

#include "libbundle/core/bundle_builder.h"
#include "libbundle/core/zone.h"

namespace px::shim {
namespace {

using bundle::Bundle;
using bundle::BundleBuilder;
using bundle::Endpoint;
using bundle::Member;

// Whether libc would list an address of this family, under AI_ADDRCONFIG for example.
bool takes_numeric(OrderedLookup& libc, const AddressHints& hints, bool ipv4) {
  const bool mapped = ipv4 && hints.family == AF_INET6 && (hints.flags & AI_V4MAPPED) != 0;
  if (hints.family == AF_INET && !ipv4) return false;
  if (hints.family == AF_INET6 && ipv4 && !mapped) return false;
  if ((hints.flags & AI_ADDRCONFIG) == 0 || hints.family != AF_UNSPEC) return true;
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_NUMERICHOST | AI_ADDRCONFIG;
  addrinfo* list = nullptr;
  // Addresses for documentation: any would do.
  if (libc.getaddrinfo(ipv4 ? "192.0.2.1" : "2001:db8::1", nullptr, &wanted, &list) != 0) {
    return false;
  }
  ::freeaddrinfo(list);
  return true;
}

int add_numeric(OrderedLookup& libc, const Member& member, const AddressHints& hints,
                BundleBuilder* builder) {
  if (!takes_numeric(libc, hints, member.address.is_ipv4())) return EAI_ADDRFAMILY;
  Endpoint endpoint{.address = member.address};
  if (!member.zone.empty()) {
    endpoint.scope = bundle::zone_index(member.zone);
    if (endpoint.scope == 0) return EAI_NONAME;
  }
  builder->add(endpoint, member.group);
  return 0;
}

int add_name(OrderedLookup& libc, const Member& member, const AddressHints& hints,
             BundleBuilder* builder) {
  constexpr int kChoosing = AI_ADDRCONFIG | AI_V4MAPPED | AI_ALL | AI_IDN;
  std::array<char, bundle::kMostNotation + 1> name{};
  if ((hints.flags & AI_NUMERICHOST) != 0 || member.text.size() >= name.size()) return EAI_NONAME;
  member.text.copy(name.data(), member.text.size());
  addrinfo wanted{};
  wanted.ai_family = hints.family;
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = hints.flags & kChoosing;
  addrinfo* list = nullptr;
  const int error = libc.getaddrinfo(name.data(), nullptr, &wanted, &list);
  if (error != 0) return error;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    const auto endpoint = bundle::endpoint_from_sockaddr(entry->ai_addr, entry->ai_addrlen);
    if (endpoint) builder->add(*endpoint, member.group);
  }
  ::freeaddrinfo(list);
  return 0;
}

// AI_V4MAPPED without AI_ALL: IPv4 only where there is no IPv6.
bool has_both_families(const Bundle& bundle) {
  bool ipv4 = false;
  bool ipv6 = false;
  for (const Endpoint& endpoint : bundle.members()) {
    (endpoint.address.is_ipv4() ? ipv4 : ipv6) = true;
  }
  return ipv4 && ipv6;
}

Bundle without_ipv4(const Bundle& bundle) {
  BundleBuilder builder;
  std::uint32_t group = 0;
  for (std::uint32_t i = 0; i < bundle.count; ++i) {
    group += bundle.alternatives >> i & 1;
    if (!bundle.endpoints[i].address.is_ipv4()) builder.add(bundle.endpoints[i], group);
  }
  return builder.build();
}

}  // namespace

int look_up_members(OrderedLookup& libc, std::span<const Member> members, const AddressHints& hints,
                    Bundle* found) {
  if ((hints.flags & AI_NUMERICHOST) != 0) {
    for (const Member& member : members) {
      if (!member.numeric) return EAI_NONAME;
    }
  }
  BundleBuilder builder;
  int error = EAI_NONAME;
  bool failed = false;
  for (const Member& member : members) {
    const int result = member.numeric ? add_numeric(libc, member, hints, &builder)
                                      : add_name(libc, member, hints, &builder);
    // A member that may have an address later says more than a member that has none.
    if (result != 0 && (!failed || result == EAI_AGAIN)) error = result;
    failed = failed || result != 0;
  }
  *found = builder.build();
  const bool ipv6_alone = hints.family == AF_INET6 && (hints.flags & AI_ALL) == 0;
  if (ipv6_alone && has_both_families(*found)) *found = without_ipv4(*found);
  return found->count > 0 ? 0 : error;
}

}  // namespace px::shim
