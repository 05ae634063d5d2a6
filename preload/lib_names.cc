// SPDX-License-Identifier: MIT
// libpx.so: the interposed calls about names, and px as a name service of libc's.
#include <nss.h>
#include <resolv.h>

#include <algorithm>
#include <cerrno>

#include "preload/lib.h"

using namespace px::shim;

PX_EXPORT int getaddrinfo(const char* node, const char* service, const addrinfo* hints,
                          addrinfo** list) {
  if (!active) return libc.getaddrinfo(node, service, hints, list);
  return names.getaddrinfo(node, service, hints, list);
}

PX_EXPORT int getnameinfo(const sockaddr* address, socklen_t length, char* host,
                          socklen_t host_size, char* service, socklen_t service_size, int flags) {
  if (!active) {
    return libc.getnameinfo(address, length, host, host_size, service, service_size, flags);
  }
  return names.getnameinfo(address, length, host, host_size, service, service_size, flags);
}

PX_EXPORT hostent* gethostbyname(const char* name) {
  return active ? names.gethostbyname(name) : libc.gethostbyname(name);
}

PX_EXPORT hostent* gethostbyname2(const char* name, int family) {
  return active ? names.gethostbyname2(name, family) : libc.gethostbyname2(name, family);
}

PX_EXPORT int gethostbyname_r(const char* name, hostent* entry, char* room, size_t size,
                              hostent** result, int* error) {
  if (!active) return libc.gethostbyname_r(name, entry, room, size, result, error);
  return names.gethostbyname_r(name, entry, room, size, result, error);
}

PX_EXPORT int gethostbyname2_r(const char* name, int family, hostent* entry, char* room,
                               size_t size, hostent** result, int* error) {
  if (!active) return libc.gethostbyname2_r(name, family, entry, room, size, result, error);
  return names.gethostbyname2_r(name, family, entry, room, size, result, error);
}

PX_EXPORT int getaddrinfo_a(int mode, gaicb** list, int count, sigevent* event) {
  if (!active) return libc.getaddrinfo_a(mode, list, count, event);
  return names.getaddrinfo_a(mode, list, count, event);
}

PX_EXPORT hostent* gethostbyaddr(const void* address, socklen_t length, int family) {
  if (active && !names.prepare()) {
    h_errno = NETDB_INTERNAL;
    return nullptr;
  }
  return libc.gethostbyaddr(address, length, family);
}

PX_EXPORT int gethostbyaddr_r(const void* address, socklen_t length, int family, hostent* entry,
                              char* room, size_t size, hostent** result, int* error) {
  if (active && !names.prepare()) {
    *result = nullptr;
    *error = NETDB_INTERNAL;
    return ENOMEM;
  }
  return libc.gethostbyaddr_r(address, length, family, entry, room, size, result, error);
}

// What libc calls of the service, by its own declarations.

PX_EXPORT nss_gethostbyname4_r _nss_px_gethostbyname4_r;
nss_status _nss_px_gethostbyname4_r(const char* name, gaih_addrtuple** list, char* room,
                                    size_t size, int* error, int* host_error, int32_t* ttl) {
  return name_service.find_addresses(name, list, {room, size, error, host_error, ttl});
}

PX_EXPORT nss_gethostbyname3_r _nss_px_gethostbyname3_r;
nss_status _nss_px_gethostbyname3_r(const char* name, int family, hostent* host, char* room,
                                    size_t size, int* error, int* host_error, int32_t* ttl,
                                    char** canonical) {
  return name_service.find_host(name, family, host, {room, size, error, host_error, ttl},
                                canonical);
}

PX_EXPORT nss_gethostbyname2_r _nss_px_gethostbyname2_r;
nss_status _nss_px_gethostbyname2_r(const char* name, int family, hostent* host, char* room,
                                    size_t size, int* error, int* host_error) {
  return name_service.find_host(name, family, host, {room, size, error, host_error}, nullptr);
}

PX_EXPORT nss_gethostbyname_r _nss_px_gethostbyname_r;
nss_status _nss_px_gethostbyname_r(const char* name, hostent* host, char* room, size_t size,
                                   int* error, int* host_error) {
  return name_service.find_host(name, AF_INET, host, {room, size, error, host_error}, nullptr);
}

PX_EXPORT nss_gethostbyaddr2_r _nss_px_gethostbyaddr2_r;
nss_status _nss_px_gethostbyaddr2_r(const void* address, socklen_t length, int family,
                                    hostent* host, char* room, size_t size, int* error,
                                    int* host_error, int32_t* ttl) {
  return name_service.find_name(address, length, family, host,
                                {room, size, error, host_error, ttl});
}

PX_EXPORT nss_gethostbyaddr_r _nss_px_gethostbyaddr_r;
nss_status _nss_px_gethostbyaddr_r(const void* address, socklen_t length, int family, hostent* host,
                                   char* room, size_t size, int* error, int* host_error) {
  return name_service.find_name(address, length, family, host, {room, size, error, host_error});
}

namespace {

AnswerSpace space_of(unsigned char* answer, int size) {
  return {reinterpret_cast<std::byte*>(answer), size < 0 ? 0 : static_cast<std::size_t>(size)};
}

std::span<const std::byte> packet_of(const unsigned char* question, int size) {
  return {reinterpret_cast<const std::byte*>(question),
          size < 0 ? 0 : static_cast<std::size_t>(size)};
}

// libc's for this thread, as the program may have changed it.
res_state own_state() {
  res_state state = __res_state();
  if ((state->options & RES_INIT) == 0) (void)res_init();
  return state;
}

bool is_profiles() {
  return active && names.prepare() && resolver_calls.apply();
}

// The program may connect to an address of the reply.
int noted(const char* asked, int length, const unsigned char* answer, int size) {
  if (active && length > 0) answer_notes.note(asked, packet_of(answer, std::min(length, size)));
  return length;
}

}  // namespace

PX_EXPORT int res_query(const char* name, int query_class, int type, unsigned char* answer,
                        int size) noexcept {
  if (is_profiles()) {
    const auto result =
        resolver_calls.query(own_state(), name, {query_class, type}, space_of(answer, size));
    if (result) return noted(name, *result, answer, size);
  }
  return noted(name, libc.res_query(name, query_class, type, answer, size), answer, size);
}

PX_EXPORT int res_search(const char* name, int query_class, int type, unsigned char* answer,
                         int size) noexcept {
  if (is_profiles()) {
    const auto result =
        resolver_calls.search(own_state(), name, {query_class, type}, space_of(answer, size));
    if (result) return noted(name, *result, answer, size);
  }
  return noted(name, libc.res_search(name, query_class, type, answer, size), answer, size);
}

PX_EXPORT int res_querydomain(const char* name, const char* domain, int query_class, int type,
                              unsigned char* answer, int size) noexcept {
  if (is_profiles()) {
    const auto result = resolver_calls.query_domain(own_state(), name, domain, {query_class, type},
                                                    space_of(answer, size));
    if (result) return noted(name, *result, answer, size);
  }
  return noted(name, libc.res_querydomain(name, domain, query_class, type, answer, size), answer,
               size);
}

PX_EXPORT int res_send(const unsigned char* question, int length, unsigned char* answer,
                       int size) noexcept {
  if (is_profiles()) {
    const auto result = resolver_calls.send(packet_of(question, length), space_of(answer, size));
    if (result) return noted(nullptr, *result, answer, size);
  }
  return noted(nullptr, libc.res_send(question, length, answer, size), answer, size);
}

PX_EXPORT int res_nquery(res_state state, const char* name, int query_class, int type,
                         unsigned char* answer, int size) noexcept {
  if (is_profiles()) {
    const auto result =
        resolver_calls.query(state, name, {query_class, type}, space_of(answer, size));
    if (result) return noted(name, *result, answer, size);
  }
  return noted(name, libc.res_nquery(state, name, query_class, type, answer, size), answer, size);
}

PX_EXPORT int res_nsearch(res_state state, const char* name, int query_class, int type,
                          unsigned char* answer, int size) noexcept {
  if (is_profiles()) {
    const auto result =
        resolver_calls.search(state, name, {query_class, type}, space_of(answer, size));
    if (result) return noted(name, *result, answer, size);
  }
  return noted(name, libc.res_nsearch(state, name, query_class, type, answer, size), answer, size);
}

PX_EXPORT int res_nquerydomain(res_state state, const char* name, const char* domain,
                               int query_class, int type, unsigned char* answer,
                               int size) noexcept {
  if (is_profiles()) {
    const auto result = resolver_calls.query_domain(state, name, domain, {query_class, type},
                                                    space_of(answer, size));
    if (result) return noted(name, *result, answer, size);
  }
  return noted(name, libc.res_nquerydomain(state, name, domain, query_class, type, answer, size),
               answer, size);
}

PX_EXPORT int res_nsend(res_state state, const unsigned char* question, int length,
                        unsigned char* answer, int size) noexcept {
  if (is_profiles()) {
    const auto result = resolver_calls.send(packet_of(question, length), space_of(answer, size));
    if (result) return noted(nullptr, *result, answer, size);
  }
  return noted(nullptr, libc.res_nsend(state, question, length, answer, size), answer, size);
}

PX_EXPORT int __res_init() noexcept {
  const int result = libc.__res_init();
  if (result == 0 && is_profiles()) resolver_calls.put_servers(__res_state());
  return result;
}

PX_EXPORT int __res_ninit(res_state state) noexcept {
  const int result = libc.__res_ninit(state);
  if (result == 0 && is_profiles()) resolver_calls.put_servers(state);
  return result;
}

// NOLINTBEGIN(bugprone-macro-parentheses): these are declarations
#define PX_NAMES(name, result, parameters)
#define PX_CALL(name, number, result, parameters)
#define PX_ALIAS(other_name, call)
#define PX_NAMES_ALIAS(other_name, call) PX_EXPORT_ALIAS(other_name, call)
#define PX_SERVICE(name)
// NOLINTEND(bugprone-macro-parentheses)
#include "preload/interposed.def"
