// SPDX-License-Identifier: MIT
// getaddrinfo(3) as libc has it, with the addresses in the order that suits the program's profile:
// libc asks where the host's routes lead, and that is where nothing of a steered program goes.
// AI_ADDRCONFIG is about the profile's egresses likewise. Where none of a name's addresses is
// steered, all is left as libc has it. Holds nothing but references. Callable wherever
// getaddrinfo(3) is.
#pragma once

#include <netdb.h>

#include <span>

#include "preload/names/answer_notes.h"
#include "preload/names/destination_order.h"
#include "preload/process/system_calls.h"
#include "preload/session/current_plan.h"
#include "preload/session/decider.h"

namespace px::shim {

class OrderedLookup {
 public:
  // What libc answers is noted first: addresses have the egresses of their names.
  constexpr OrderedLookup(AnswerNotes& notes, const SystemCalls& system, const CurrentPlan& plan,
                          const Decider& decider)
      : notes_(notes), system_(system), plan_(plan), decider_(decider) {}

  [[nodiscard]] int getaddrinfo(const char* node, const char* service, const addrinfo* hints,
                                addrinfo** list);

 private:
  // What libc has answered, as the profile's paths have it. Apart, since its frame must not lie
  // below libc's own, which takes most of a small thread's stack.
  [[gnu::noinline]] int put_in_order(int family, bool configured, addrinfo** list);
  // Whether any of them is steered.
  [[nodiscard]] bool foresee(std::span<Destination> destinations);
  void find_host_source(Destination* destination);
  // Whether a question for this family alone is about one that the profile has no egress for.
  [[nodiscard]] bool lacks(int family, std::span<const Destination> destinations) const;

  AnswerNotes& notes_;
  const SystemCalls& system_;
  const CurrentPlan& plan_;
  const Decider& decider_;
};

}  // namespace px::shim
