// SPDX-License-Identifier: MIT
// Looks names up for programs, at the servers of the profile that each has.
#pragma once

#include "broker/sessions/dispatcher.h"
#include "plan/name_wire.h"

namespace px::broker {

class Lookups;
class SessionTable;
struct LookupResult;

class NamesService {
 public:
  struct Parts {
    SessionTable& sessions;
    Lookups& lookups;
  };

  explicit NamesService(const Parts& parts) : parts_(parts) {}
  void register_with(Dispatcher& dispatcher);

 private:
  [[nodiscard]] Answer look_up(const Peer& peer, const plan::Lookup& lookup);

  Parts parts_;
};

// In as many packets as it takes.
[[nodiscard]] Answer lookup_answer(const LookupResult& result);

}  // namespace px::broker
