// SPDX-License-Identifier: MIT
#include "preload/names/name_dispatch.h"

#include <arpa/inet.h>

#include <array>
#include <cerrno>
#include <span>
#include <string_view>

#include "libbundle/bundle.h"
#include "preload/names/name_query.h"
#include "preload/session/bundle_settings.h"

namespace px::shim {
namespace {

// What no hints mean.
constexpr addrinfo kDefaultHints = {.ai_flags = AI_V4MAPPED | AI_ADDRCONFIG,
                                    .ai_family = AF_UNSPEC,
                                    .ai_socktype = 0,
                                    .ai_protocol = 0,
                                    .ai_addrlen = 0,
                                    .ai_addr = nullptr,
                                    .ai_canonname = nullptr,
                                    .ai_next = nullptr};

// Of one getaddrinfo_a(3); more at once are all libc's.
constexpr int kMostRequests = 256;

bool is_family_of_bundles(int family) {
  return family == AF_UNSPEC || family == AF_INET || family == AF_INET6 || family == AF_BUNDLE;
}

// A hostent can hold no bundle: an alias stays libc's answer, and is only remembered. For
// getaddrinfo_a(3) it is an ordinary name, which may take its time.
bool is_for_bundles(const NameQuery& query) {
  return query.kind() == NameQuery::Kind::kMembers || query.kind() == NameQuery::Kind::kBad;
}

// What libc takes for an address without asking anybody, at a glance.
bool is_plainly_address(const char* name) {
  in_addr address{};
  const bool ipv6 = std::string_view(name).find(':') != std::string_view::npos;
  return ipv6 || ::inet_pton(AF_INET, name, &address) == 1;
}

hostent* no_host() {
  h_errno = NETDB_INTERNAL;
  return nullptr;
}

int no_host(hostent** result, int* error) {
  *result = nullptr;
  *error = NETDB_INTERNAL;
  return ENOMEM;
}

}  // namespace

bool NameDispatch::prepare() {
  if (!session_.knows_plan()) (void)session_.ensure_session();
  return line_.follow(profile_.from());
}

// Everybody's hosts file has this one name: no broker is asked because of it.
bool NameDispatch::prepare(const char* name) {
  if (is_plainly_address(name)) return true;
  return std::string_view(name) == "localhost" ? line_.follow(profile_.from()) : prepare();
}

int NameDispatch::getaddrinfo(const char* node, const char* service, const addrinfo* hints,
                              addrinfo** list) {
  if (node == nullptr || (hints != nullptr && !is_family_of_bundles(hints->ai_family))) {
    return libc_.getaddrinfo(node, service, hints, list);
  }
  if (!prepare(node)) return EAI_MEMORY;
  const addrinfo& meant = hints != nullptr ? *hints : kDefaultHints;
  const bool wants_bundle = meant.ai_family == AF_BUNDLE;
  if (wants_bundle && !session_.knows_plan()) (void)session_.ensure_session();
  const NameQuery query(plan_, session_, node);
  const bool ordinary = query.kind() == NameQuery::Kind::kOrdinary;
  if (!ordinary || (wants_bundle && bundles_are_on(plan_))) {
    return addresses_.getaddrinfo(query, service, meant, list);
  }
  return ordered_.getaddrinfo(node, service, hints, list);
}

// libc's threads call its own getaddrinfo.
int NameDispatch::getaddrinfo_a(int mode, gaicb** list, int count, sigevent* event) {
  if (!prepare()) return EAI_MEMORY;
  std::array<gaicb*, kMostRequests> others;
  if ((mode != GAI_WAIT && mode != GAI_NOWAIT) || count > kMostRequests) {
    return libc_.getaddrinfo_a(mode, list, count, event);
  }
  int left = 0;
  for (int i = 0; i < count; ++i) {
    gaicb* const one = list[i];
    if (one == nullptr) continue;
    if (asks_for_bundle(*one)) {
      one->__return = getaddrinfo(one->ar_name, one->ar_service, one->ar_request, &one->ar_result);
    } else {
      others[left++] = one;
    }
  }
  if (mode == GAI_NOWAIT) return libc_.getaddrinfo_a(mode, others.data(), left, event);
  return notes_.getaddrinfo_a(std::span(others).first(static_cast<std::size_t>(left)), event);
}

bool NameDispatch::asks_for_bundle(const gaicb& request) const {
  if (request.ar_name == nullptr) return false;
  const int family = request.ar_request != nullptr ? request.ar_request->ai_family : AF_UNSPEC;
  if (!is_family_of_bundles(family)) return false;
  return family == AF_BUNDLE || is_for_bundles(NameQuery(plan_, session_, request.ar_name));
}

int NameDispatch::getnameinfo(const sockaddr* address, socklen_t length, char* host,
                              socklen_t host_size, char* service, socklen_t service_size,
                              int flags) {
  const bool has_family = address != nullptr && length >= sizeof(sa_family_t);
  if (has_family && address->sa_family == AF_BUNDLE) {
    return addresses_.getnameinfo(address, length, host, host_size, service, service_size, flags);
  }
  const bool asks = host != nullptr && host_size > 0 && (flags & NI_NUMERICHOST) == 0;
  if (asks && !prepare()) return EAI_MEMORY;
  return libc_.getnameinfo(address, length, host, host_size, service, service_size, flags);
}

hostent* NameDispatch::gethostbyname(const char* name) {
  if (!prepare(name)) return no_host();
  const NameQuery query(plan_, session_, name);
  if (is_for_bundles(query)) return hosts_.gethostbyname(query, AF_INET);
  return hosts_.remembered(libc_.gethostbyname(name), query);
}

hostent* NameDispatch::gethostbyname2(const char* name, int family) {
  if (!is_ip(family)) return libc_.gethostbyname2(name, family);
  if (!prepare(name)) return no_host();
  const NameQuery query(plan_, session_, name);
  if (is_for_bundles(query)) return hosts_.gethostbyname(query, family);
  return hosts_.remembered(libc_.gethostbyname2(name, family), query);
}

int NameDispatch::gethostbyname_r(const char* name, hostent* entry, char* room, size_t size,
                                  hostent** result, int* error) {
  if (!prepare(name)) return no_host(result, error);
  const NameQuery query(plan_, session_, name);
  if (is_for_bundles(query)) {
    return hosts_.gethostbyname_r(query, AF_INET, entry, {room, size}, result, error);
  }
  const int failed = libc_.gethostbyname_r(name, entry, room, size, result, error);
  if (failed == 0) hosts_.remembered(*result, query);
  return failed;
}

int NameDispatch::gethostbyname2_r(const char* name, int family, hostent* entry, char* room,
                                   size_t size, hostent** result, int* error) {
  if (!is_ip(family)) {
    return libc_.gethostbyname2_r(name, family, entry, room, size, result, error);
  }
  if (!prepare(name)) return no_host(result, error);
  const NameQuery query(plan_, session_, name);
  if (is_for_bundles(query)) {
    return hosts_.gethostbyname_r(query, family, entry, {room, size}, result, error);
  }
  const int failed = libc_.gethostbyname2_r(name, family, entry, room, size, result, error);
  if (failed == 0) hosts_.remembered(*result, query);
  return failed;
}

}  // namespace px::shim
