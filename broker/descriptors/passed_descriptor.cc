// SPDX-License-Identifier: MIT
#include "broker/descriptors/passed_descriptor.h"

#include <exception>
#include <utility>

namespace px::broker {

struct PassedDescriptor::State {
  State(const std::shared_ptr<Lane>& its_lane, std::shared_ptr<ipc::PacketSocket> its_connection,
        std::uint64_t its_number)
      : lane(its_lane), connection(std::move(its_connection)), number(its_number) {}
  ~State() {
    try {
      let_go();
    } catch (const std::exception&) {
      // Out of memory: the process has it until it ends.
    }
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  void let_go() const {
    const auto there = held ? lane.lock() : nullptr;
    if (!there) return;
    Task task;
    task.kind = TaskKind::kLetGo;
    task.held = number;
    there->ask({task, nullptr, [](const auto&) {}});
  }

  std::weak_ptr<Lane> lane;                       // whose orders may have this
  std::shared_ptr<ipc::PacketSocket> connection;  // until the descriptor is received
  std::uint64_t number;
  bool held = false;
};

PassedDescriptor::PassedDescriptor(const std::shared_ptr<Lane>& lane,
                                   std::shared_ptr<ipc::PacketSocket> connection,
                                   std::uint64_t number)
    : state_(std::make_shared<State>(lane, std::move(connection), number)) {}

void PassedDescriptor::ask(Task task, Lane::Done done) const {
  const auto lane = state_->lane.lock();
  if (!lane) return done(fail("its descriptor process has ended"));
  task.held = state_->number;
  state_->held = task.keeps;
  lane->ask({task, std::exchange(state_->connection, nullptr), std::move(done)});
}

}  // namespace px::broker
