// SPDX-License-Identifier: MIT
#include "preload/names/member_lookup.h"

#include <netdb.h>
#include <pthread.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

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

// A member that is a name, while the names are looked up.
struct MemberName {
  EarlyQuestion* early = nullptr;  // null: libc is asked for it when it is its turn
  bool found = false;              // by libc, without px: `error` or `list` are known
  int error = 0;
  addrinfo* list = nullptr;
};

class MemberNames {
 public:
  MemberNames(OrderedLookup& libc, ProfileNames& profile, const AddressHints& hints)
      : libc_(libc), profile_(profile), hints_(hints) {}

  // Where names are the profile's, has the broker asked for all of them.
  void ask_early(std::span<const Member> members);
  // Of the member of that index; getaddrinfo's result.
  [[nodiscard]] int look_up(const Member& member, std::size_t index, addrinfo** list);
  void give_up();

 private:
  [[nodiscard]] int ask_libc(const char* name, addrinfo** list) {
    constexpr int kChoosing = AI_ADDRCONFIG | AI_V4MAPPED | AI_ALL | AI_IDN;
    addrinfo wanted{};
    wanted.ai_family = hints_.family;
    wanted.ai_socktype = SOCK_STREAM;
    wanted.ai_flags = hints_.flags & kChoosing;
    return libc_.getaddrinfo(name, nullptr, &wanted, list);
  }

  OrderedLookup& libc_;
  ProfileNames& profile_;
  const AddressHints& hints_;
  std::array<MemberName, bundle::kMostMembers> names_{};
};

// libc goes through its services, and px only asks. What another service knows is known then.
void MemberNames::ask_early(std::span<const Member> members) {
  const auto is_name = [](const Member& member) { return !member.numeric; };
  if (!profile_.apply() || std::count_if(members.begin(), members.end(), is_name) < 2) return;
  for (std::size_t i = 0; i < members.size(); ++i) {
    MemberName& name = names_[i];
    if (!members[i].numeric) name.early = profile_.early().claim(members[i].text);
    if (name.early == nullptr) continue;
    name.early->only_asks = true;
    name.error = ask_libc(name.early->name, &name.list);
    name.early->only_asks = false;
    name.found = name.error != EAI_AGAIN && name.early->connection < 0;
  }
}

int MemberNames::look_up(const Member& member, std::size_t index, addrinfo** list) {
  MemberName& known = names_[index];
  if (known.found) {
    *list = std::exchange(known.list, nullptr);
    return known.error;
  }
  if (known.early != nullptr) return ask_libc(known.early->name, list);
  std::array<char, bundle::kMostNotation + 1> name{};
  if (member.text.size() >= name.size()) return EAI_NONAME;
  member.text.copy(name.data(), member.text.size());
  return ask_libc(name.data(), list);
}

void MemberNames::give_up() {
  for (MemberName& name : names_) {
    if (name.early != nullptr) EarlyQuestions::release(std::exchange(name.early, nullptr));
    if (name.list != nullptr) ::freeaddrinfo(std::exchange(name.list, nullptr));
  }
}

int add_name(MemberNames* names, const Member& member, std::size_t index, const AddressHints& hints,
             BundleBuilder* builder) {
  if ((hints.flags & AI_NUMERICHOST) != 0) return EAI_NONAME;
  addrinfo* list = nullptr;
  const int error = names->look_up(member, index, &list);
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

int add_all(OrderedLookup& libc, MemberNames* names, std::span<const Member> members,
            const AddressHints& hints, Bundle* found) {
  names->ask_early(members);
  BundleBuilder builder;
  int error = EAI_NONAME;
  bool failed = false;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const Member& member = members[i];
    const int result = member.numeric ? add_numeric(libc, member, hints, &builder)
                                      : add_name(names, member, i, hints, &builder);
    // A member that may have an address later says more than a member that has none.
    if (result != 0 && (!failed || result == EAI_AGAIN)) error = result;
    failed = failed || result != 0;
  }
  *found = builder.build();
  return found->count > 0 ? 0 : error;
}

void give_up_cancelled(void* names) {
  static_cast<MemberNames*>(names)->give_up();
}

}  // namespace

int look_up_members(OrderedLookup& libc, ProfileNames& profile, std::span<const Member> members,
                    const AddressHints& hints, Bundle* found) {
  if ((hints.flags & AI_NUMERICHOST) != 0) {
    for (const Member& member : members) {
      if (!member.numeric) return EAI_NONAME;
    }
  }
  MemberNames names(libc, profile, hints);
  int error = 0;
  // A thread can be cancelled while it waits.
  pthread_cleanup_push(give_up_cancelled, &names);
  error = add_all(libc, &names, members, hints, found);
  pthread_cleanup_pop(1);
  if (error != 0) return error;
  const bool ipv6_alone = hints.family == AF_INET6 && (hints.flags & AI_ALL) == 0;
  if (ipv6_alone && has_both_families(*found)) *found = without_ipv4(*found);
  return 0;
}

}  // namespace px::shim
