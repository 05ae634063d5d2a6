// SPDX-License-Identifier: MIT
// getaddrinfo(3) and its kin: decides which resolver a name is for, and has that one answer. The
// resolvers: bundles (address_names.h, host_names.h), which come first, and libc for all other
// names. Holds nothing but references. As safe as libc's own calls are: any thread, a forked child,
// before main; not signal handlers.
// Arguments, results and errors (h_errno where libc has it) are those of the calls in libc.
#pragma once

#include <netdb.h>

#include <cstddef>

#include "preload/names/address_names.h"
#include "preload/names/host_names.h"
#include "preload/process/symbols.h"
#include "preload/session/broker_session.h"
#include "preload/session/current_plan.h"

namespace px::shim {

class NameDispatch {
 public:
  constexpr NameDispatch(const Symbols& libc, const CurrentPlan& plan, BrokerSession& session,
                         AddressNames& addresses, HostNames& hosts)
      : libc_(libc), plan_(plan), session_(session), addresses_(addresses), hosts_(hosts) {}

  [[nodiscard]] int getaddrinfo(const char* node, const char* service, const addrinfo* hints,
                                addrinfo** list);
  // A bundle is looked up before this returns, whatever the mode; other names are libc's.
  [[nodiscard]] int getaddrinfo_a(int mode, gaicb** list, int count, sigevent* event);
  [[nodiscard]] int getnameinfo(const sockaddr* address, socklen_t length, char* host,
                                socklen_t host_size, char* service, socklen_t service_size,
                                int flags) const;
  [[nodiscard]] hostent* gethostbyname(const char* name);
  [[nodiscard]] hostent* gethostbyname2(const char* name, int family);
  [[nodiscard]] int gethostbyname_r(const char* name, hostent* entry, char* room, size_t size,
                                    hostent** result, int* error);
  [[nodiscard]] int gethostbyname2_r(const char* name, int family, hostent* entry, char* room,
                                     size_t size, hostent** result, int* error);

 private:
  [[nodiscard]] bool asks_for_bundle(const gaicb& request) const;

  const Symbols& libc_;
  const CurrentPlan& plan_;
  BrokerSession& session_;
  AddressNames& addresses_;
  HostNames& hosts_;
};

}  // namespace px::shim
