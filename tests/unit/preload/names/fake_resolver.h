// SPDX-License-Identifier: MIT
// libc's getaddrinfo with a list of hosts of its own in the place of DNS. Addresses, services and
// lists are libc's. One at a time, one thread.
#pragma once

#include <gtest/gtest.h>
#include <netdb.h>

#include <map>
#include <string>
#include <vector>

#include "preload/process/symbols.h"

namespace px::shim {

struct FakeResolver {
  FakeResolver() {
    here = this;
    symbols.getaddrinfo = [](const char* node, const char* service, const addrinfo* hints,
                             addrinfo** list) { return here->look_up(node, service, hints, list); };
    symbols.getnameinfo = &::getnameinfo;
  }
  FakeResolver(const FakeResolver&) = delete;
  FakeResolver& operator=(const FakeResolver&) = delete;
  ~FakeResolver() { here = nullptr; }

  int look_up(const char* node, const char* service, const addrinfo* hints, addrinfo** list) {
    addrinfo wanted = hints != nullptr ? *hints : addrinfo{};
    const bool numeric = (wanted.ai_flags & AI_NUMERICHOST) != 0;
    wanted.ai_flags |= AI_NUMERICHOST;
    const int result = ::getaddrinfo(node, service, &wanted, list);
    if (numeric || result != EAI_NONAME) return result;
    asked.emplace_back(node);
    const auto host = hosts.find(node);
    if (host == hosts.end()) return error;
    *list = nullptr;
    addrinfo** end = list;
    for (const std::string& address : host->second) {
      if (::getaddrinfo(address.c_str(), service, &wanted, end) != 0) continue;
      while (*end != nullptr) end = &(*end)->ai_next;
    }
    return *list != nullptr ? 0 : EAI_NODATA;
  }

  static inline FakeResolver* here = nullptr;
  Symbols symbols;
  std::map<std::string, std::vector<std::string>> hosts;
  int error = EAI_NONAME;  // of a name that is not there
  std::vector<std::string> asked;
};

}  // namespace px::shim
