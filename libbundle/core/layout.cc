// SPDX-License-Identifier: MIT
#include "libbundle/core/layout.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

#include "libbundle/core/bundle_builder.h"

namespace px::bundle {
namespace {

constexpr std::uint8_t kFlags = BUNDLE_TRUNCATED | BUNDLE_IMPLICIT;

static_assert(offsetof(sockaddr_bundle, sb_addresses) == BUNDLE_HEADER_SIZE);
static_assert(offsetof(sockaddr_bundle, sb_port) == offsetof(sockaddr_in, sin_port));
static_assert(offsetof(sockaddr_bundle, sb_port) == offsetof(sockaddr_in6, sin6_port));
static_assert(sizeof(sockaddr_bundle) == BUNDLE_SIZE_MAX);
static_assert(sizeof(sockaddr_in) % 4 == 0 && sizeof(sockaddr_in6) % 4 == 0);

constexpr std::uint32_t below(std::uint32_t count) {
  return (1u << count) - 1;
}

LayoutFault check_header(const sockaddr_bundle& header, socklen_t length) {
  if (header.sb_len != 0 && (header.sb_len < BUNDLE_HEADER_SIZE || header.sb_len > length ||
                             header.sb_len > BUNDLE_SIZE_MAX)) {
    return LayoutFault::kLength;
  }
  if (header.sb_count > kMostMembers) return LayoutFault::kCount;
  return (header.sb_flags & ~kFlags) != 0 ? LayoutFault::kReserved : LayoutFault::kNone;
}

std::size_t size_of_family(sa_family_t family) {
  if (family == AF_INET) return sizeof(sockaddr_in);
  return family == AF_INET6 ? sizeof(sockaddr_in6) : 0;
}

// Reads one sockaddr after the other. The bytes may be unaligned. Without a length in the header,
// an address without a family is the end.
class Members {
 public:
  Members(const sockaddr* address, const sockaddr_bundle& header, socklen_t length)
      : next_(reinterpret_cast<const char*>(address) + BUNDLE_HEADER_SIZE),
        left_((header.sb_len != 0 ? header.sb_len : std::min<socklen_t>(length, BUNDLE_SIZE_MAX)) -
              std::size_t{BUNDLE_HEADER_SIZE}),
        open_ended_(header.sb_len == 0),
        port_(ntohs(header.sb_port)) {}

  LayoutFault read(Endpoint* endpoint) {
    sa_family_t family;
    if (left_ < sizeof family) return LayoutFault::kLength;
    std::memcpy(&family, next_, sizeof family);
    const std::size_t size = size_of_family(family);
    if (size == 0) return LayoutFault::kMember;
    if (size > left_) return LayoutFault::kLength;
    *endpoint = *endpoint_from_sockaddr(reinterpret_cast<const sockaddr*>(next_),
                                        static_cast<socklen_t>(size));
    if (port_ == 0) port_ = endpoint->port;
    if (endpoint->port != port_ && endpoint->port != 0) return LayoutFault::kPort;
    next_ += size;
    left_ -= size;
    return LayoutFault::kNone;
  }

  [[nodiscard]] bool at_end() const {
    sa_family_t family = AF_UNSPEC;
    if (!open_ended_ || left_ < sizeof family) return left_ == 0;
    std::memcpy(&family, next_, sizeof family);
    return family == AF_UNSPEC;
  }
  // The header's, or that of the addresses.
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  const char* next_;
  std::size_t left_;
  bool open_ended_;
  std::uint16_t port_;
};

LayoutFault read_bundle(const sockaddr* address, socklen_t length, Bundle* bundle) {
  sockaddr_bundle header{};
  if (address == nullptr || length < sizeof header.sb_family) return LayoutFault::kFamily;
  std::memcpy(&header, address, std::min<std::size_t>(length, BUNDLE_HEADER_SIZE));
  if (header.sb_family != AF_BUNDLE) return LayoutFault::kFamily;
  if (length < BUNDLE_HEADER_SIZE) return LayoutFault::kLength;
  LayoutFault fault = check_header(header, length);
  if (fault != LayoutFault::kNone) return fault;

  Members members(address, header, length);
  BundleBuilder builder;
  std::uint32_t group = 0;
  std::uint32_t count = 0;
  while (header.sb_count != 0 ? count < header.sb_count : !members.at_end()) {
    if (count == kMostMembers) return LayoutFault::kCount;
    Endpoint endpoint;
    fault = members.read(&endpoint);
    if (fault != LayoutFault::kNone) return fault;
    group += header.sb_alternatives >> count & 1;
    (void)builder.add(endpoint, group);
    ++count;
  }
  if (count == 0) return LayoutFault::kCount;
  if (!members.at_end()) return LayoutFault::kLength;
  if ((header.sb_alternatives & ~(below(count) & ~1u)) != 0) return LayoutFault::kReserved;
  *bundle = builder.build();
  for (std::uint32_t i = 0; i < bundle->count; ++i) bundle->endpoints[i].port = members.port();
  bundle->implicit = (header.sb_flags & BUNDLE_IMPLICIT) != 0;
  bundle->truncated = (header.sb_flags & BUNDLE_TRUNCATED) != 0;
  return LayoutFault::kNone;
}

}  // namespace

LayoutFault check_layout(const sockaddr* address, socklen_t length) {
  Bundle bundle;
  return read_bundle(address, length, &bundle);
}

std::optional<Bundle> bundle_from_sockaddr(const sockaddr* address, socklen_t length) {
  Bundle bundle;
  if (read_bundle(address, length, &bundle) != LayoutFault::kNone) return std::nullopt;
  return bundle;
}

socklen_t sockaddr_from_bundle(const Bundle& bundle, void* storage, std::size_t limit) {
  sockaddr_bundle out{};
  std::size_t used = BUNDLE_HEADER_SIZE;
  const std::uint16_t port = bundle.endpoints[0].port;
  for (Endpoint endpoint : bundle.members()) {
    endpoint.port = port;
    sockaddr_storage member;
    const sa_family_t family = endpoint.address.is_ipv4() ? AF_INET : AF_INET6;
    const std::size_t size = sockaddr_from_endpoint(endpoint, family, &member);
    if (used + size > limit) break;
    std::memcpy(reinterpret_cast<char*>(&out) + used, &member, size);
    used += size;
    ++out.sb_count;
  }
  if (out.sb_count == 0) return 0;
  out.sb_family = AF_BUNDLE;
  out.sb_port = htons(port);
  out.sb_len = static_cast<std::uint16_t>(used);
  out.sb_alternatives = bundle.alternatives & below(out.sb_count) & ~1u;
  if (bundle.implicit) out.sb_flags |= BUNDLE_IMPLICIT;
  if (bundle.truncated || out.sb_count < bundle.count) out.sb_flags |= BUNDLE_TRUNCATED;
  std::memcpy(storage, &out, used);
  return static_cast<socklen_t>(used);
}

}  // namespace px::bundle
