// SPDX-License-Identifier: MIT
// Begins the sessions of programs: by a program's hello, which is answered with its plan, and by
// px-exec's launch message about the program that it is about to become.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "broker/identity/network_namespace.h"
#include "broker/sessions/dispatcher.h"
#include "plan/wire.h"

namespace px::broker {

class ProfileAssignments;
class Publisher;
class SessionTable;
struct Policy;

class ProgramService {
 public:
  struct Parts {
    const Policy& policy;
    const Publisher& publisher;
    SessionTable& sessions;
    const ProfileAssignments& assignments;
    NetworkNamespace network_namespace;
    std::uint64_t instance;  // that the broker has announced itself by
  };

  explicit ProgramService(const Parts& parts) : parts_(parts) {}
  void register_with(Dispatcher& dispatcher);

 private:
  // Why it is refused, whatever the program.
  [[nodiscard]] std::optional<Answer> refuse(const plan::Hello& hello) const;
  // `executable`: the kernel's text for the descriptor that came along; empty without one.
  [[nodiscard]] Answer hello(const Peer& peer, const plan::Hello& hello,
                             const std::string& executable);
  void hello(const Peer& peer, const plan::Hello& hello, const PassedDescriptor& executable,
             const Reply& reply);
  [[nodiscard]] Answer launch(const Peer& peer, const plan::Launch& launch);

  Parts parts_;
};

}  // namespace px::broker
