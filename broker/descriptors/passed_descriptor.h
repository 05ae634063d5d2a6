// SPDX-License-Identifier: MIT
// The descriptor that came with a message, as services have it: they ask for what is to be done
// with it, and never have it themselves. It is received at the first task.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "broker/descriptors/lane.h"

namespace px::broker {

class PassedDescriptor {
 public:
  PassedDescriptor(const std::shared_ptr<Lane>& lane, std::shared_ptr<ipc::PacketSocket> connection,
                   std::uint64_t number);

  // Has the task done with it, whose other members the caller has filled in. Without `keeps` it is
  // closed then. The result is gone once `done` returns.
  void ask(Task task, Lane::Done done) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace px::broker
