// SPDX-License-Identifier: MIT
#include "preload/names/address_names.h"

#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <utility>

#include "libbundle/core/bundle_builder.h"
#include "libbundle/core/layout.h"
#include "libbundle/core/text.h"
#include "preload/names/address_list.h"
#include "preload/names/fragile_programs.h"
#include "preload/names/member_lookup.h"
#include "preload/names/member_order.h"
#include "preload/session/bundle_settings.h"

namespace px::shim {
namespace {

using bundle::Bundle;
using bundle::BundleBuilder;
using plan::BundleTransport;

// libc's list for one address: it knows which socket types, protocols and ports these hints and
// this service mean, and which of them are errors.
int list_kinds(const Symbols& libc, const char* service, const addrinfo& hints, addrinfo** kinds) {
  constexpr int kOfNames = AI_CANONNAME | AI_ADDRCONFIG | AI_V4MAPPED | AI_ALL | AI_PASSIVE;
  const bool ipv6 = hints.ai_family == AF_INET6;
  addrinfo wanted{};
  wanted.ai_flags = (hints.ai_flags & ~kOfNames) | AI_NUMERICHOST;
  wanted.ai_family = ipv6 ? AF_INET6 : AF_INET;
  wanted.ai_socktype = hints.ai_socktype;
  wanted.ai_protocol = hints.ai_protocol;
  return libc.getaddrinfo(ipv6 ? "::" : "0.0.0.0", service, &wanted, kinds);
}

bool same_address(const addrinfo& a, const addrinfo& b) {
  return a.ai_addrlen == b.ai_addrlen && std::memcmp(a.ai_addr, b.ai_addr, a.ai_addrlen) == 0;
}

// libc lists all socket types of one address before the next one.
const addrinfo* end_of_first(const addrinfo* list) {
  const addrinfo* end = list;
  while (end != nullptr && same_address(*end, *list)) end = end->ai_next;
  return end;
}

Bundle addresses_in(const addrinfo* list) {
  BundleBuilder builder;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    const auto endpoint = bundle::endpoint_from_sockaddr(entry->ai_addr, entry->ai_addrlen);
    if (endpoint) builder.add(*endpoint);
  }
  Bundle bundle = builder.build();
  bundle.implicit = true;
  return bundle;
}

void set_port(Bundle* bundle, const addrinfo& entry) {
  const auto endpoint = bundle::endpoint_from_sockaddr(entry.ai_addr, entry.ai_addrlen);
  for (std::uint32_t i = 0; endpoint && i < bundle->count; ++i) {
    bundle->endpoints[i].port = endpoint->port;
  }
}

class OwnedList {
 public:
  OwnedList() = default;
  OwnedList(const OwnedList&) = delete;
  OwnedList& operator=(const OwnedList&) = delete;
  ~OwnedList() {
    if (list != nullptr) ::freeaddrinfo(list);
  }
  addrinfo* list = nullptr;
};

int copy_text(std::string_view text, char* place, socklen_t size) {
  if (text.size() >= size) return EAI_OVERFLOW;
  text.copy(place, text.size());
  place[text.size()] = '\0';
  return 0;
}

}  // namespace

struct AddressNames::Transports {
  std::array<BundleTransport, plan::kBundleTransports> all{};
  std::size_t count = 0;

  [[nodiscard]] std::span<const BundleTransport> list() const { return {all.data(), count}; }
};

AddressNames::Transports AddressNames::transports_for(const Bundle& bundle) {
  const plan::BundleSettings settings = bundle_settings(plan_);
  Transports found;
  for (const BundleTransport transport : settings.transports) {
    if (transport == BundleTransport::kNone) break;
    if (!transports_.has(transport)) continue;
    if (transport == BundleTransport::kMptcp && all_near(decider_, bundle)) continue;
    found.all[found.count++] = transport;
  }
  return found;
}

// A socket of AF_BUNDLE binds all addresses, and over SCTP connects to addresses of both families
// at once. Without either, single entries connect as well, and no program trips over them.
bool AddressNames::gives_entries(const NameQuery& query, const addrinfo& hints,
                                 const Transports& transports) const {
  switch (bundle_settings(plan_).entries) {
    case plan::BundleEntries::kAlways:
      return true;
    case plan::BundleEntries::kNever:
      return false;
    case plan::BundleEntries::kByProgram:
      break;
  }
  const auto all = transports.list();
  const bool gains = (hints.ai_flags & AI_PASSIVE) != 0 ||
                     std::find(all.begin(), all.end(), BundleTransport::kSctp) != all.end();
  return gains && !query.implicit() && !is_fragile_program();
}

void AddressNames::remember(const Bundle& bundle, const NameQuery& query) {
  std::array<char, NameQuery::kNameSize> buffer;
  cache_.remember(bundle, query.name(buffer));
  notes_.note(query.text(), query.members(), bundle);
}

int AddressNames::getaddrinfo(const NameQuery& query, const char* service, const addrinfo& hints,
                              addrinfo** list) {
  switch (query.kind()) {
    case NameQuery::Kind::kBad:
      return EAI_NONAME;
    case NameQuery::Kind::kMembers:
      return list_members(query, service, hints, list);
    case NameQuery::Kind::kAlias:
    case NameQuery::Kind::kAny:
    case NameQuery::Kind::kOrdinary:
      break;
  }
  return list_all(query, service, hints, list);
}

int AddressNames::list_members(const NameQuery& query, const char* service, const addrinfo& hints,
                               addrinfo** list) {
  // A name stays one, whatever it stands for: programs ask so whether they were given an address.
  if (query.named() && (hints.ai_flags & AI_NUMERICHOST) != 0) return EAI_NONAME;
  OwnedList kinds;
  if (const int error = list_kinds(libc_, service, hints, &kinds.list); error != 0) return error;
  const int family = hints.ai_family == AF_BUNDLE ? AF_UNSPEC : hints.ai_family;
  Bundle bundle;
  const int error = look_up_members(ordered_, profile_, query.members(),
                                    {.family = family, .flags = hints.ai_flags}, &bundle);
  if (error != 0) return error;
  set_port(&bundle, *kinds.list);
  bundle.implicit = query.implicit();
  remember(bundle, query);
  std::array<char, bundle::kBundleTextSize> text;
  std::string_view canonical_name;
  if ((hints.ai_flags & AI_CANONNAME) != 0) {
    canonical_name = query.implicit() ? query.text() : bundle::bundle_text(bundle, text);
  }
  const Transports transports = transports_for(bundle);
  // A program to which only the first address matters gets none that is worse than libc's.
  const bool first_counts = hints.ai_family == AF_UNSPEC && program_takes_first_address();
  const Bundle singles = first_counts ? ipv6_first(kBareSystemCalls, decider_, bundle) : bundle;
  return make_address_list(bundle, best_first(decider_, health_, singles),
                           {.family = hints.ai_family,
                            .flags = hints.ai_flags,
                            .kinds = kinds.list,
                            .kinds_end = nullptr,
                            .transports = transports.list(),
                            .bundle_entries = gives_entries(query, hints, transports),
                            .canonical_name = canonical_name},
                           list);
}

int AddressNames::list_all(const NameQuery& query, const char* service, const addrinfo& hints,
                           addrinfo** list) {
  OwnedList found;
  addrinfo usual = hints;
  if (hints.ai_family == AF_BUNDLE) usual.ai_family = AF_UNSPEC;
  const int error = ordered_.getaddrinfo(query.text().data(), service, &usual, &found.list);
  if (error != 0) return error;
  const Bundle bundle = addresses_in(found.list);
  const bool any = query.kind() == NameQuery::Kind::kAny && hints.ai_family != AF_BUNDLE;
  const Transports transports = transports_for(bundle);
  const bool entries = gives_entries(query, hints, transports);
  const bool many = bundle.count > 1;
  if (many || hints.ai_family == AF_BUNDLE) remember(bundle, query);
  if ((!many && hints.ai_family != AF_BUNDLE) || (any && !entries)) {
    *list = std::exchange(found.list, nullptr);
    return 0;
  }
  // Where the list stays libc's, so does its name.
  const char* canonical_name = any ? nullptr : found.list->ai_canonname;
  const ListWanted wanted{.family = hints.ai_family,
                          .flags = found.list->ai_flags,
                          .kinds = found.list,
                          .kinds_end = end_of_first(found.list),
                          .transports = transports.list(),
                          .bundle_entries = entries,
                          .canonical_name = canonical_name != nullptr ? canonical_name : ""};
  if (!any) return make_address_list(bundle, best_first(decider_, health_, bundle), wanted, list);
  if (hints.ai_family == AF_UNSPEC) {
    if (prepend_bundle_entries(bundle, wanted, &found.list) != 0) return EAI_MEMORY;
  }
  *list = std::exchange(found.list, nullptr);
  return 0;
}

int AddressNames::getnameinfo(const sockaddr* address, socklen_t length, char* host,
                              socklen_t host_size, char* service, socklen_t service_size,
                              int flags) const {
  auto bundle = bundle::bundle_from_sockaddr(address, length);
  if (!bundle) {
    return libc_.getnameinfo(address, length, host, host_size, service, service_size, flags);
  }
  // libc knows services, flags, and the answer to a call that asks for nothing.
  const bool host_wanted = host != nullptr && host_size > 0;
  if (!host_wanted || (service != nullptr && service_size > 0)) {
    sockaddr_in port{};
    port.sin_family = AF_INET;
    port.sin_port = htons(bundle->endpoints[0].port);
    const int error = libc_.getnameinfo(reinterpret_cast<const sockaddr*>(&port), sizeof port,
                                        nullptr, 0, service, service_size, flags);
    if (error != 0) return error;
  }
  if (!host_wanted) return 0;
  (void)cache_.complete(&*bundle);
  if ((flags & NI_NUMERICHOST) == 0) {
    std::array<char, BundleCache::kNameSize> name;
    const std::string_view found = cache_.name_of(*bundle, name);
    if (!found.empty()) return copy_text(found, host, host_size);
  }
  if ((flags & NI_NAMEREQD) != 0) return EAI_NONAME;
  std::array<char, bundle::kBundleTextSize> text;
  return copy_text(bundle::bundle_text(*bundle, text), host, host_size);
}

}  // namespace px::shim
