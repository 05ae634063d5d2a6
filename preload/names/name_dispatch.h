// SPDX-License-Identifier: MIT
// getaddrinfo(3) and its kin: decides which resolver a name is for, and has that one answer. The
// resolvers: bundles (address_names.h, host_names.h), which come first, and libc for all other
// names. Under a profile with name servers of its own, libc asks px in the place of DNS, from the
// first name on. Holds nothing but references. As safe as libc's own calls are: any thread, a
// forked child, before main; not signal handlers. Arguments, results and errors (h_errno where libc
// has it) are those of the calls in libc.
#pragma once

#include <netdb.h>

#include <cstddef>

#include "preload/names/address_names.h"
#include "preload/names/answer_notes.h"
#include "preload/names/host_names.h"
#include "preload/names/hosts_line.h"
#include "preload/names/ordered_lookup.h"
#include "preload/names/profile_names.h"
#include "preload/process/symbols.h"
#include "preload/session/broker_session.h"
#include "preload/session/current_plan.h"

namespace px::shim {

class NameDispatch {
 public:
  struct Resolvers {
    AddressNames& addresses;
    HostNames& hosts;
    OrderedLookup& libc;
    ProfileNames& profile;
    HostsLine& line;
    AnswerNotes& notes;
  };

  constexpr NameDispatch(const Symbols& libc, const CurrentPlan& plan, BrokerSession& session,
                         const Resolvers& resolvers)
      : libc_(libc),
        plan_(plan),
        session_(session),
        addresses_(resolvers.addresses),
        hosts_(resolvers.hosts),
        ordered_(resolvers.libc),
        profile_(resolvers.profile),
        line_(resolvers.line),
        notes_(resolvers.notes) {}

  // Sees to it that what libc looks up from now on is asked of whom the profile says; false where
  // it would ask others, which it must not.
  [[nodiscard]] bool prepare();

  [[nodiscard]] int getaddrinfo(const char* node, const char* service, const addrinfo* hints,
                                addrinfo** list);
  // A bundle is looked up before this returns, whatever the mode; other names are libc's.
  [[nodiscard]] int getaddrinfo_a(int mode, gaicb** list, int count, sigevent* event);
  [[nodiscard]] int getnameinfo(const sockaddr* address, socklen_t length, char* host,
                                socklen_t host_size, char* service, socklen_t service_size,
                                int flags);
  [[nodiscard]] hostent* gethostbyname(const char* name);
  [[nodiscard]] hostent* gethostbyname2(const char* name, int family);
  [[nodiscard]] int gethostbyname_r(const char* name, hostent* entry, char* room, size_t size,
                                    hostent** result, int* error);
  [[nodiscard]] int gethostbyname2_r(const char* name, int family, hostent* entry, char* room,
                                     size_t size, hostent** result, int* error);

 private:
  // For this very name: nothing is looked up for an address.
  [[nodiscard]] bool prepare(const char* name);
  [[nodiscard]] bool asks_for_bundle(const gaicb& request) const;

  const Symbols& libc_;
  const CurrentPlan& plan_;
  BrokerSession& session_;
  AddressNames& addresses_;
  HostNames& hosts_;
  OrderedLookup& ordered_;
  ProfileNames& profile_;
  HostsLine& line_;
  AnswerNotes& notes_;
};

}  // namespace px::shim
