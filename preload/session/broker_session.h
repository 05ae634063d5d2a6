// SPDX-License-Identifier: MIT
// The session of this process with the broker: which hello is owed, and the plan that the answer
// puts in force. Every hello is a short connection of its own (hello.h). One static instance; a
// vfork child does no harm to its parent's session. Changes no errno.
//
//   kFirstHello --welcome--> kJoined --the program was moved-------> kRecheck --answer--> kJoined
//                            kJoined --broker restarted------------> kRejoin  --asked---> kJoined
//   a forked child: kRecheck where its parent was moved meanwhile, else kRejoin
//   any --"no profile"--> CurrentPlan::retire(): no further hello
#pragma once

#include <atomic>
#include <cstdint>

#include "plan/plan.h"
#include "preload/process/settings.h"
#include "preload/session/counters_page.h"
#include "preload/session/current_plan.h"
#include "preload/session/hello.h"
#include "preload/session/process_state.h"

namespace px::shim {

class BrokerSession {
 public:
  using SayHello = HelloAnswer (*)(const Settings&, const HelloRequest&);

  constexpr BrokerSession(const Settings& settings, ProcessState& process, CurrentPlan& plan,
                          CountersPage& counters, SayHello say_hello)
      : settings_(settings),
        process_(process),
        plan_(plan),
        counters_(counters),
        say_hello_(say_hello) {}

  // Whether calls fail without the broker's welcome: those of a program with a profile of its
  // environment.
  [[nodiscard]] bool fails_closed() const { return settings_.named; }

  [[nodiscard]] bool calls_are_filtered() const { return is_filtered(settings_); }

  // Whether this plan is this program's by the broker's own word since anything changed.
  [[nodiscard]] bool has_joined(const plan::Plan& plan) const {
    return is_fresh(plan) && is_known_to_broker(plan);
  }
  // Whether it is known, without asking, that this plan is this program's.
  [[nodiscard]] bool knows(const plan::Plan& plan) const {
    return is_fresh(plan) && (!plan.matching() || is_known_to_broker(plan));
  }
  // Whether it is known, without asking, which plan is this program's, or that none is.
  [[nodiscard]] bool knows_plan() const;

  // What a hello came to.
  enum class Joining : std::uint8_t { kNobody, kNoProfile, kPlan };
  // Says as much of a hello as this process still owes. One thread does, the others wait for it.
  // `complains`: where a first hello gets no welcome, one line on stderr says why, once a process.
  Joining join(bool complains);

  // join(), and whether the program may go on: only one that fails_closed(), and that nobody
  // answers, may not.
  [[nodiscard]] bool ensure_session();
  // To the broker a vfork child is a process of its own, which it does nothing for before a hello
  // of its own. Does nothing in any other process.
  void introduce_vfork_child();
  // ensure_session(), where the profile may choose the transport of the program's stream sockets.
  void ensure_session_for_sockets();

  // A lookup of a name that the broker was not asked for.
  void count_name() const { counters_.count(&plan::Counters::names); }
  // False in a vfork child.
  [[nodiscard]] bool is_own_process() const { return process_.is_own(); }

  // Of the broker whose plan is mapped.
  [[nodiscard]] SecondSocket second_socket() const;

 private:
  enum class State : std::uint8_t {
    kFirstHello,  // no broker has welcomed this process or the one that it is forked from
    kRecheck,     // the program was moved since the last hello; or, without a page, anybody was
    kRejoin,      // the broker is another one, or this process a forked child
    kJoined,      // no hello is owed
  };
  enum class Chosen : std::uint8_t { kUnknown, kNo, kMaybe };

  [[nodiscard]] State state() const;
  [[nodiscard]] bool is_fresh(const plan::Plan& plan) const;
  [[nodiscard]] bool is_known_to_broker(const plan::Plan& plan) const;

  Joining join_in_vfork_child(bool complains);
  Joining first_hello(bool complains);
  Joining recheck();
  Joining rejoin();
  // What a program comes to that cannot ask. Where it is shut off from a broker that lives, or that
  // broker has no place for it, it goes on by the mapped plan: also in kFirstHello, since its
  // environment names that plan.
  [[nodiscard]] Joining without_asking() const;
  // The plan's broker has been at its work just now: it is worth a greeted program's while to ask.
  [[nodiscard]] bool is_at_work(const plan::Plan& plan) const;
  [[nodiscard]] bool waits_to_retry() const;
  void retry_later();

  // One hello, whose answer is put in force. `own`: for this process, which is no vfork child.
  Joining ask(const HelloRequest& request, bool own, bool complains);
  [[nodiscard]] HelloRequest going_on() const;
  [[nodiscard]] bool adopt(const HelloAnswer& answer, const void* before, bool own);
  void complain(const HelloAnswer& answer);

  const Settings& settings_;
  ProcessState& process_;
  CurrentPlan& plan_;
  CountersPage& counters_;
  const SayHello say_hello_;
  // By any broker, in this process or the one that it is forked from.
  std::atomic<bool> welcomed_{false};
  std::atomic<Chosen> sockets_chosen_{Chosen::kUnknown};
  std::atomic<bool> complained_{false};
  // What came of the last hello: the broker is out of this program's reach, or has no place for it.
  std::atomic<bool> stays_unknown_{false};
};

}  // namespace px::shim
