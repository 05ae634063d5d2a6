// SPDX-License-Identifier: MIT
// Keeps what the program is told of names, for rules by name: each address with the name that the
// program asked for, and with the names that CNAMEs made of it (answered_names.h). Only under a
// profile that has such rules: others pay a few loads. Holds nothing but references. Callable
// wherever getaddrinfo(3) is, from any thread; changes neither errno nor h_errno.
#pragma once

#include <netdb.h>

#include <cstddef>
#include <span>
#include <string_view>

#include "dns/name_chain.h"
#include "libbundle/core/bundle.h"
#include "libbundle/core/notation.h"
#include "preload/names/profile_names.h"
#include "preload/process/symbols.h"
#include "preload/session/answered_names.h"
#include "preload/session/current_plan.h"

namespace px::shim {

class AnswerNotes {
 public:
  constexpr AnswerNotes(const Symbols& libc, const CurrentPlan& plan, const ProfileNames& names,
                        AnsweredNames& table)
      : libc_(libc), plan_(plan), names_(names), table_(table) {}

  // libc's getaddrinfo(3), and what it answers is noted. Where libc asks the host's servers and the
  // name has an alias, the servers are asked once more: of CNAMEs, getaddrinfo(3) tells the last.
  [[nodiscard]] int getaddrinfo(const char* node, const char* service, const addrinfo* hints,
                                addrinfo** list);
  // The same of libc's getaddrinfo_a(3) for a program that waits for all of these requests.
  [[nodiscard]] int getaddrinfo_a(std::span<gaicb*> requests, sigevent* event);
  // What gethostbyname(3) and its kin have answered; null: nothing.
  void note(const char* asked, const hostent* answer);
  // A server's reply, as the question's answer; of any bytes, what can be read.
  void note(const char* asked, std::span<const std::byte> packet);
  // The members of a bundle that was asked for by a name of its own, beside the names by which they
  // were looked up: those of `members`, or that of the bundle where it has none.
  void note(std::string_view asked, std::span<const bundle::Member> members,
            const bundle::Bundle& bundle);

 private:
  // Whether the profile has rules by name.
  [[nodiscard]] bool wanted() const;
  [[nodiscard]] int ask_with_names(std::span<gaicb*> requests, sigevent* event);
  // May ask libc for aliases, if the list has no canonical name or another one.
  void note(const char* asked, const addrinfo& list);
  // `all`: whether these are all names that can be known of the answer.
  void note(const dns::NameChain& names, const addrinfo& list, bool all);
  // Adds the aliases that libc knows of the name, by addresses of that one's family. False where it
  // does not tell.
  [[nodiscard]] bool add_aliases(const char* asked, const bundle::Address& address,
                                 dns::NameChain* names) const;
  // libc's gethostbyname2_r(3); null where there is no answer at once.
  [[nodiscard]] const hostent* ask_impatiently(const char* asked, int family, hostent* entry,
                                               std::span<char> room) const;
  void remember(const bundle::Address& address, const dns::NameChain& names, bool all);

  const Symbols& libc_;
  const CurrentPlan& plan_;
  const ProfileNames& names_;
  AnsweredNames& table_;
};

}  // namespace px::shim
