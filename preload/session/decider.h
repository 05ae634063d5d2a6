// SPDX-License-Identifier: MIT
// The verdict on a call: by the plan in force, after as much of a hello as that needs. Holds
// nothing but references. Changes no errno.
#pragma once

#include <optional>

#include "plan/plan.h"
#include "preload/session/answered_names.h"
#include "preload/session/broker_session.h"
#include "preload/session/current_plan.h"

namespace px::shim {

class Decider {
 public:
  constexpr Decider(const CurrentPlan& plan, BrokerSession& session, const AnsweredNames& answered)
      : plan_(plan), session_(session), answered_(answered) {}

  // Whether it is known, without asking, that the verdict is kSystem whatever may be asked.
  [[nodiscard]] bool is_passthrough() const;

  // Whether the program has its system calls filtered: it does without those that px can do
  // without.
  [[nodiscard]] bool calls_are_filtered() const { return session_.calls_are_filtered(); }

  // Without the broker's welcome, a program with a profile of its environment gets kFail, another
  // kSystem. The call's names are those that its destination was given for.
  [[nodiscard]] plan::Verdict decide(const plan::Call& call);
  // Whether a question that names a server of the host's may go elsewhere: false for what is known,
  // without asking, not to.
  [[nodiscard]] bool may_redirect() const;
  // Where it goes (plan/decide.h).
  [[nodiscard]] plan::Redirection redirect(const plan::Call& call, bool ipv4_only);
  // What it would be now, for a call that may never come: nobody is asked. Nothing without a plan.
  [[nodiscard]] std::optional<plan::Verdict> foresee(const plan::Call& call) const;

 private:
  [[nodiscard]] plan::Verdict verdict_of(const plan::Plan& plan, const plan::Call& call) const;
  [[nodiscard]] plan::Verdict verdict_by_names(const plan::Plan& plan, plan::Call call) const;

  const CurrentPlan& plan_;
  BrokerSession& session_;
  const AnsweredNames& answered_;
};

}  // namespace px::shim
