// SPDX-License-Identifier: MIT
// Calls by which a program shuts itself off from the broker: another root directory, a filter of
// its system calls. The hello is said at the last moment before, and where a filter is in force no
// word after. Holds nothing but references; callable from any thread and from signal handlers.
// Results and errno as libc's.
#pragma once

#include "preload/process/settings.h"
#include "preload/process/symbols.h"
#include "preload/session/broker_session.h"
#include "preload/session/decider.h"

namespace px::shim {

class Confinement {
 public:
  constexpr Confinement(const Symbols& libc, Settings& settings, const Decider& decider,
                        BrokerSession& session)
      : libc_(libc), settings_(settings), decider_(decider), session_(session) {}

  int chroot(const char* path);
  // Of the options PR_SET_SECCOMP alone.
  int prctl(int option, const unsigned long (&arguments)[4]);
  // Of the numbers those of the same calls, and of those that libc has no function for.
  long syscall(long number, const long (&arguments)[6]);

  // Whether syscall() has anything to do with the number.
  [[nodiscard]] static bool concerns(long number);

 private:
  void say_hello();
  void is_filtered_now();

  const Symbols& libc_;
  Settings& settings_;
  const Decider& decider_;
  BrokerSession& session_;
};

}  // namespace px::shim
