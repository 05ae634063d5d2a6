// SPDX-License-Identifier: MIT
// res_query(3), res_search(3), res_send(3) and their kin, which hand DNS packets to programs (ssh
// for SSHFP records, mail programs for MX): under a profile with name servers of its own, by these.
// For programs without one of them, libc's. As safe as libc's own are: any thread, a forked child.
#pragma once

#include <resolv.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "preload/names/profile_names.h"

namespace px::shim {

// Where a program wants the reply; its size may be less than what there is.
using AnswerSpace = std::span<std::byte>;

class ResolverCalls {
 public:
  explicit constexpr ResolverCalls(ProfileNames& names) : names_(names) {}

  // Whether they are px's to answer.
  [[nodiscard]] bool apply() const { return names_.apply(); }

  struct Asked {
    int query_class;
    int type;
  };
  // The size of the whole reply, of which as much as there is room for is there; or -1 and h_errno,
  // the state's too. Nothing where the name is the host's, and libc's own call is to ask.
  // `state`: the program's own, or libc's for this thread.
  using Result = std::optional<int>;
  Result query(res_state state, const char* name, const Asked& asked, AnswerSpace space);
  Result search(res_state state, const char* name, const Asked& asked, AnswerSpace space);
  Result query_domain(res_state state, const char* name, const char* domain, const Asked& asked,
                      AnswerSpace space);
  // In a state that libc has just initialized: the profile's servers.
  void put_servers(res_state state) const;
  // A question that the program has made itself; -1 and errno where it gets no reply.
  Result send(std::span<const std::byte> question, AnswerSpace space);

 private:
  Result answer(res_state state, plan::LookupOutcome outcome, const LookupReply& reply,
                AnswerSpace space);

  ProfileNames& names_;
};

}  // namespace px::shim
