// SPDX-License-Identifier: MIT
// The part of bundle.h that makes, walks and compares addresses. Nothing but another form of core/.
#include <algorithm>
#include <cstring>

#include "libbundle/api/export.h"
#include "libbundle/bundle.h"
#include "libbundle/core/bundle_builder.h"
#include "libbundle/core/layout.h"
#include "libbundle/core/notation.h"
#include "libbundle/core/text.h"
#include "libbundle/core/zone.h"

namespace {

using namespace px::bundle;

constexpr int value(LayoutFault fault) {
  return static_cast<int>(fault);
}
static_assert(value(LayoutFault::kNone) == BUNDLE_OK);
static_assert(value(LayoutFault::kFamily) == BUNDLE_EFAMILY);
static_assert(value(LayoutFault::kLength) == BUNDLE_ELENGTH);
static_assert(value(LayoutFault::kCount) == BUNDLE_ECOUNT);
static_assert(value(LayoutFault::kMember) == BUNDLE_EMEMBER);
static_assert(value(LayoutFault::kPort) == BUNDLE_EPORT);
static_assert(value(LayoutFault::kReserved) == BUNDLE_ERESERVED);
static_assert(kBundleTextSize == BUNDLE_TEXT_MAX);

constexpr int value(NotationFault fault) {
  return static_cast<int>(fault) - static_cast<int>(NotationFault::kTooLong) + BUNDLE_ETOOLONG;
}
static_assert(value(NotationFault::kBrackets) == BUNDLE_EBRACKETS);
static_assert(value(NotationFault::kEmptyMember) == BUNDLE_EEMPTY);
static_assert(value(NotationFault::kTooMany) == BUNDLE_ETOOMANY);
static_assert(value(NotationFault::kAddress) == BUNDLE_EADDRESS);
static_assert(value(NotationFault::kZone) == BUNDLE_EZONE);
static_assert(value(NotationFault::kName) == BUNDLE_ENAME);
static_assert(value(NotationFault::kNested) == BUNDLE_ENESTED);

const sockaddr* as_sockaddr(const void* address) {
  return static_cast<const sockaddr*>(address);
}

// Of a bundle that is as long as it says.
int check(const sockaddr_bundle* bundle) {
  return value(check_layout(as_sockaddr(bundle), BUNDLE_SIZE_MAX));
}

Bundle read(const sockaddr_bundle* bundle) {
  return bundle_from_sockaddr(as_sockaddr(bundle), BUNDLE_SIZE_MAX).value_or(Bundle{});
}

bool is_empty(const sockaddr_bundle& bundle) {
  return bundle.sb_family == AF_BUNDLE && bundle.sb_count == 0 &&
         bundle.sb_len == BUNDLE_HEADER_SIZE;
}

int check_added(const sockaddr* address, socklen_t length, const Endpoint* endpoint) {
  if (endpoint != nullptr) return BUNDLE_OK;
  if (address == nullptr || length < sizeof address->sa_family) return BUNDLE_EFAMILY;
  sa_family_t family;
  std::memcpy(&family, address, sizeof family);
  return family == AF_INET || family == AF_INET6 ? BUNDLE_ELENGTH : BUNDLE_EFAMILY;
}

}  // namespace

BUNDLE_EXPORT int bundle_check(const sockaddr* address, socklen_t length) {
  return value(check_layout(address, length));
}

BUNDLE_EXPORT void bundle_init(sockaddr_bundle* bundle, in_port_t port) {
  std::memset(bundle, 0, sizeof *bundle);
  bundle->sb_family = AF_BUNDLE;
  bundle->sb_port = port;
  bundle->sb_len = BUNDLE_HEADER_SIZE;
}

BUNDLE_EXPORT int bundle_add(sockaddr_bundle* bundle, const sockaddr* address, socklen_t length,
                             int whose) {
  const int fault = is_empty(*bundle) ? BUNDLE_OK : check(bundle);
  if (fault != BUNDLE_OK) return fault;
  auto added = endpoint_from_sockaddr(address, length);
  const int added_fault = check_added(address, length, added ? &*added : nullptr);
  if (added_fault != BUNDLE_OK) return added_fault;
  const Bundle old = read(bundle);
  const std::uint16_t port = old.count != 0 ? old.endpoints[0].port : ntohs(bundle->sb_port);
  if (added->port != port && added->port != 0) return BUNDLE_EPORT;
  added->port = port;

  BundleBuilder builder;
  std::uint32_t group = 0;
  for (std::uint32_t i = 0; i < old.count; ++i) {
    group += old.alternatives >> i & 1;
    (void)builder.add(old.endpoints[i], group);
  }
  if (whose == BUNDLE_OTHER_HOST && old.count != 0) ++group;
  if (!builder.add(*added, group)) return BUNDLE_EFULL;
  Bundle now = builder.build();
  now.implicit = (bundle->sb_flags & BUNDLE_IMPLICIT) != 0;
  now.truncated = (bundle->sb_flags & BUNDLE_TRUNCATED) != 0;
  (void)sockaddr_from_bundle(now, bundle, sizeof *bundle);
  return BUNDLE_OK;
}

BUNDLE_EXPORT const sockaddr* bundle_next(const sockaddr_bundle* bundle, const sockaddr* previous) {
  if (check(bundle) != BUNDLE_OK) return nullptr;
  const std::size_t length = bundle->sb_len != 0 ? bundle->sb_len : sizeof *bundle;
  const unsigned char* const end = bundle->sb_addresses + length - BUNDLE_HEADER_SIZE;
  bool found = previous == nullptr;
  for (const unsigned char* next = bundle->sb_addresses; next != end;) {
    sa_family_t family;
    std::memcpy(&family, next, sizeof family);
    if (family == AF_UNSPEC) break;
    const sockaddr* here = as_sockaddr(next);
    if (found) return here;
    found = here == previous;
    next += family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  }
  return nullptr;
}

BUNDLE_EXPORT int bundle_compare(const sockaddr_bundle* a, const sockaddr_bundle* b) {
  const auto order = compare(read(a), read(b));
  if (order == 0) return 0;
  return order < 0 ? -1 : 1;
}

BUNDLE_EXPORT int bundle_parse(const char* text, in_port_t port, sockaddr_bundle* bundle) {
  const Notation notation = parse_notation(text);
  switch (notation.kind) {
    case NotationKind::kNone:
      return BUNDLE_ENOTBUNDLE;
    case NotationKind::kBad:
      return value(notation.fault);
    case NotationKind::kPolicyName:
      return BUNDLE_ERESOLVE;
    case NotationKind::kMembers:
      break;
  }
  BundleBuilder builder;
  for (const Member& member : notation.members()) {
    if (!member.numeric) return BUNDLE_ERESOLVE;
    const std::uint32_t scope = member.zone.empty() ? 0 : zone_index(member.zone);
    if (scope == 0 && !member.zone.empty()) return BUNDLE_EZONE;
    (void)builder.add({member.address, ntohs(port), scope}, member.group);
  }
  bundle_init(bundle, port);
  (void)sockaddr_from_bundle(builder.build(), bundle, sizeof *bundle);
  return BUNDLE_OK;
}

BUNDLE_EXPORT int bundle_format(const sockaddr_bundle* bundle, char* text, size_t size) {
  const int fault = check(bundle);
  if (fault != BUNDLE_OK) return fault;
  std::array<char, kBundleTextSize> buffer;
  const std::string_view canonical_text = bundle_text(read(bundle), buffer);
  if (canonical_text.size() >= size) return BUNDLE_ESPACE;
  std::memcpy(text, canonical_text.data(), canonical_text.size() + 1);
  return BUNDLE_OK;
}

BUNDLE_EXPORT const char* bundle_strerror(int error) {
  switch (error) {
    case BUNDLE_OK:
      return "this is a bundle";
    case BUNDLE_EFAMILY:
      return "not an address of this family";
    case BUNDLE_ELENGTH:
      return "the length does not fit the addresses";
    case BUNDLE_ECOUNT:
      return "there is no address, or more than 16";
    case BUNDLE_EMEMBER:
      return "an address in it is neither IPv4 nor IPv6";
    case BUNDLE_EPORT:
      return "an address in it has another port";
    case BUNDLE_ERESERVED:
      return "it has flags or alternatives without meaning";
    case BUNDLE_EFULL:
      return "a bundle has at most 16 addresses";
    case BUNDLE_ENOTBUNDLE:
      return "this is an ordinary name or address";
    case BUNDLE_ERESOLVE:
      return "names have to be resolved first";
    case BUNDLE_ESPACE:
      return "the text does not fit";
    default:
      break;
  }
  if (error < BUNDLE_ETOOLONG || error > BUNDLE_ENESTED) return "unknown error";
  const int fault = error - BUNDLE_ETOOLONG + static_cast<int>(NotationFault::kTooLong);
  return fault_text(static_cast<NotationFault>(fault)).data();
}
