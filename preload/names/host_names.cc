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

bool is_ours(const NameQuery& asked) {
  return asked.kind() == Kind::kMembers || asked.kind() == Kind::kBad;
}

bool is_ip(int family) {
  return family == AF_INET || family == AF_INET6;
}

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

void HostNames::remember(const Bundle& bundle, const NameQuery& asked) {
  std::array<char, NameQuery::kNameSize> buffer;
  known_.remember(bundle, asked.name(buffer));
}

int HostNames::find_members(const NameQuery& asked, int family, Bundle* found) {
  if (asked.kind() == Kind::kBad) return EAI_NONAME;
  const AddressHints hints{.family = family, .flags = 0};
  const int error = look_up_members(libc_, asked.members(), hints, found);
  if (error != 0) return error;
  found->implicit = asked.implicit();
  remember(*found, asked);
  return 0;
}

hostent* HostNames::noted(hostent* entry, const NameQuery& asked) {
  const bool alias = asked.kind() == Kind::kAlias || asked.kind() == Kind::kAny;
  if (!alias || entry == nullptr || !is_ip(entry->h_addrtype)) return entry;
  const Bundle bundle = addresses_in(*entry);
  if (bundle.count > 1) remember(bundle, asked);
  return entry;
}

// The name that the program knows is what it may look for in a certificate; for a notation it is
// the canonical text.
int HostNames::answer_into(const NameQuery& asked, int family, hostent* entry, std::span<char> room,
                           hostent** result, int* error) {
  *result = nullptr;
  Bundle bundle;
  if (const int failed = find_members(asked, family, &bundle); failed != 0) {
    *error = host_error(failed);
    // As libc has it: no error number says that there is no such name.
    if (failed == EAI_AGAIN) return EAGAIN;
    return *error == NETDB_INTERNAL && errno != 0 ? errno : 0;
  }
  std::array<char, bundle::kBundleTextSize> text;
  const std::string_view name = asked.implicit() ? asked.text() : bundle::bundle_text(bundle, text);
  if (!write_host_entry(best_first(holder_, bundle), family, name, room, entry)) {
    *error = NETDB_INTERNAL;
    return errno = ERANGE;
  }
  *result = entry;
  *error = NETDB_SUCCESS;
  return 0;
}

hostent* HostNames::answer_statically(const NameQuery& asked, int family) {
  hostent* result = nullptr;
  int error = NETDB_SUCCESS;
  (void)answer_into(asked, family, &entry_, room_, &result, &error);
  if (result == nullptr) h_errno = error;
  return result;
}

hostent* HostNames::gethostbyname(const char* name) {
  const NameQuery asked(holder_, name);
  if (is_ours(asked)) return answer_statically(asked, AF_INET);
  return noted(libc_.gethostbyname(name), asked);
}

hostent* HostNames::gethostbyname2(const char* name, int family) {
  if (!is_ip(family)) return libc_.gethostbyname2(name, family);
  const NameQuery asked(holder_, name);
  if (is_ours(asked)) return answer_statically(asked, family);
  return noted(libc_.gethostbyname2(name, family), asked);
}

int HostNames::gethostbyname_r(const char* name, hostent* entry, char* room, size_t size,
                               hostent** result, int* error) {
  const NameQuery asked(holder_, name);
  if (is_ours(asked)) return answer_into(asked, AF_INET, entry, {room, size}, result, error);
  const int failed = libc_.gethostbyname_r(name, entry, room, size, result, error);
  noted(failed == 0 ? *result : nullptr, asked);
  return failed;
}

int HostNames::gethostbyname2_r(const char* name, int family, hostent* entry, char* room,
                                size_t size, hostent** result, int* error) {
  if (!is_ip(family)) {
    return libc_.gethostbyname2_r(name, family, entry, room, size, result, error);
  }
  const NameQuery asked(holder_, name);
  if (is_ours(asked)) return answer_into(asked, family, entry, {room, size}, result, error);
  const int failed = libc_.gethostbyname2_r(name, family, entry, room, size, result, error);
  noted(failed == 0 ? *result : nullptr, asked);
  return failed;
}

}  // namespace px::shim
