// SPDX-License-Identifier: MIT
// Names as the program's profile has them looked up: at its own servers, by the broker, and by
// nobody else. What the program's environment says of libc's resolver (LOCALDOMAIN, RES_OPTIONS,
// HOSTALIASES) holds here, too. Holds nothing but references. Callable wherever getaddrinfo(3) is;
// changes no errno.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "dns/packet.h"
#include "plan/name_wire.h"
#include "plan/names.h"
#include "preload/names/early_questions.h"
#include "preload/names/recent_answers.h"
#include "preload/process/settings.h"
#include "preload/session/broker_session.h"
#include "preload/session/current_plan.h"
#include "preload/session/lookup_request.h"

namespace px::shim {

class ProfileNames {
 public:
  using RequestLookup = bool (*)(const Settings&, const SecondSocket&, const plan::Lookup&,
                                 std::int64_t deadline, LookupReply*);

  constexpr ProfileNames(const Settings& settings, const CurrentPlan& plan, BrokerSession& session,
                         RequestLookup request, EarlyQuestions& early, RecentAnswers& recent)
      : settings_(settings),
        plan_(plan),
        session_(session),
        request_(request),
        early_(early),
        recent_(recent) {}

  // Whose names are, as far as is known without asking: the profile's, too, where a profile of the
  // environment is not known. It fails closed.
  [[nodiscard]] plan::NamesFrom from() const { return names().from; }
  // Whether any are the profile's; a lookup of one that is not has the outcome kOfHost.
  [[nodiscard]] bool apply() const { return from() != plan::NamesFrom::kHost; }

  // The servers that programs may ask themselves, for all names; as many as there is room for.
  // Nothing where names are the host's, too.
  [[nodiscard]] std::optional<std::size_t> servers(std::span<bundle::Endpoint> room) const;

  struct Questions {
    std::array<std::uint16_t, plan::kLookupQuestions> types{};  // the second may be 0: none
    std::uint16_t query_class = dns::kInternet;
    std::uint16_t flags = 0;  // plan::kLookup*, but for kLookupSearches
  };
  // The name alone.
  [[nodiscard]] plan::LookupOutcome look_up(const dns::Name& name, const Questions& questions,
                                            LookupReply* reply);
  // The name as a program has typed it: with the search list, unless it ends with a dot, and with
  // HOSTALIASES. kNoRecovery for what is no name.
  [[nodiscard]] plan::LookupOutcome search(std::string_view name, const Questions& questions,
                                           LookupReply* reply);

  // Where names stand that are to be asked early: search() for one of them only asks, while it is
  // so marked, and says kTryAgain.
  [[nodiscard]] EarlyQuestions& early() const { return early_; }

 private:
  [[nodiscard]] plan::NameSettings names() const;
  [[nodiscard]] std::int64_t limit_of(const plan::Lookup& lookup) const;  // milliseconds
  [[nodiscard]] plan::LookupOutcome ask(plan::Lookup* lookup, LookupReply* reply);
  // What holds of the plan and the host now, by the broker's own word; nothing where the broker has
  // to be asked.
  [[nodiscard]] std::optional<RecentAnswers::Era> era() const;
  // Whether this was answered a moment ago.
  [[nodiscard]] bool recall(const plan::Lookup& lookup, LookupReply* reply);
  void ask_early(const plan::Lookup& lookup, EarlyQuestion* question);
  // Whether the answer to what was asked early is there, and is to this.
  [[nodiscard]] bool take_early(const plan::Lookup& lookup, EarlyQuestion* question,
                                LookupReply* reply);

  const Settings& settings_;
  const CurrentPlan& plan_;
  BrokerSession& session_;
  const RequestLookup request_;
  EarlyQuestions& early_;
  RecentAnswers& recent_;
};

}  // namespace px::shim
