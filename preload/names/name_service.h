// SPDX-License-Identifier: MIT
// px as a service of libc's name service switch (nss(5)): what libc calls in the place of its own
// `dns`, for getaddrinfo(3) and everything else that looks names up, hooked or not. Answers with
// the names of the program's profile. Under a profile without, it is not there. Arguments and
// results are those of a service. Callable from any thread, as libc's own services are.
#pragma once

#include <netdb.h>
#include <nss.h>

#include <cstddef>
#include <cstdint>

#include "preload/names/answer_notes.h"
#include "preload/names/profile_names.h"

namespace px::shim {

// What a call answers in, and how it says what went wrong.
struct ServiceCall {
  char* room;
  std::size_t size;
  int* error;       // errno
  int* host_error;  // h_errno
  std::int32_t* ttl = nullptr;
};

class NameService {
 public:
  constexpr NameService(ProfileNames& names, AnswerNotes& notes) : names_(names), notes_(notes) {}

  // Addresses of both families.
  [[nodiscard]] nss_status find_addresses(const char* name, gaih_addrtuple** list,
                                          const ServiceCall& call);
  // Of one family; `canonical`, unless null, becomes the host's canonical name.
  [[nodiscard]] nss_status find_host(const char* name, int family, hostent* host,
                                     const ServiceCall& call, char** canonical);
  // By an address of the family and length.
  [[nodiscard]] nss_status find_name(const void* address, std::size_t length, int family,
                                     hostent* host, const ServiceCall& call);

 private:
  ProfileNames& names_;
  AnswerNotes& notes_;
};

}  // namespace px::shim
