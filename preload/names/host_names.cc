// SPDX-License-Identifier: MIT
#include "preload/names/host_names.h"

#include <cerrno>
#include <cstring>

#include "libbundle/core/bundle_builder.h"
#include "libbundle/core/text.h"
#include "preload/names/member_lookup.h"
#include "preload/names/member_order.h"

namespace px::shim {
namespace {

using bundle::Bundle;
using Kind = NameQuery::Kind;

Bundle addresses_in(const hostent& entry) {
  bundle::BundleBuilder builder;
  for (char** address = entry.h_addr_list; *address != nullptr; ++address) {
    bundle::Endpoint endpoint;
    std::uint8_t* bytes = endpoint.address.bytes.data();
    if (entry.h_addrtype == AF_INET) {
      endpoint.address = bundle::ipv4_address(0);
      std::memcpy(bytes + 12, *address, 4);
    } else {
      std::memcpy(bytes, *address, 16);
    }
    builder.add(endpoint);
  }
  Bundle bundle = builder.build();
  bundle.implicit = true;
  return bundle;
}

}  // namespace

void HostNames::remember(const Bundle& bundle, const NameQuery& query) {
  std::array<char, NameQuery::kNameSize> buffer;
  cache_.remember(bundle, query.name(buffer));
  notes_.note(query.text(), query.members(), bundle);
}

int HostNames::find_members(const NameQuery& query, int family, Bundle* found) {
  if (query.kind() == Kind::kBad) return EAI_NONAME;
  const AddressHints hints{.family = family, .flags = 0};
  const int error = look_up_members(libc_, profile_, query.members(), hints, found);
  if (error != 0) return error;
  found->implicit = query.implicit();
  remember(*found, query);
  return 0;
}

hostent* HostNames::remembered(hostent* entry, const NameQuery& query) {
  notes_.note(query.text().data(), entry);
  const bool alias = query.kind() == Kind::kAlias || query.kind() == Kind::kAny;
  if (!alias || entry == nullptr || !is_ip(entry->h_addrtype)) return entry;
  const Bundle bundle = addresses_in(*entry);
  if (bundle.count > 1) remember(bundle, query);
  return entry;
}

// The entry has the name that the program asked for, which it may look for in a certificate; for a
// notation it is the canonical text.
int HostNames::gethostbyname_r(const NameQuery& query, int family, hostent* entry,
                               std::span<char> room, hostent** result, int* error) {
  *result = nullptr;
  Bundle bundle;
  if (const int failed = find_members(query, family, &bundle); failed != 0) {
    *error = host_error(failed);
    // As libc has it: no error number says that there is no such name.
    if (failed == EAI_AGAIN) return EAGAIN;
    return *error == NETDB_INTERNAL && errno != 0 ? errno : 0;
  }
  std::array<char, bundle::kBundleTextSize> text;
  const std::string_view name = query.implicit() ? query.text() : bundle::bundle_text(bundle, text);
  if (!write_host_entry(best_first(decider_, health_, bundle), family, name, room, entry)) {
    *error = NETDB_INTERNAL;
    return errno = ERANGE;
  }
  *result = entry;
  *error = NETDB_SUCCESS;
  return 0;
}

hostent* HostNames::gethostbyname(const NameQuery& query, int family) {
  hostent* result = nullptr;
  int error = NETDB_SUCCESS;
  (void)gethostbyname_r(query, family, &entry_, room_, &result, &error);
  if (result == nullptr) h_errno = error;
  return result;
}

}  // namespace px::shim
