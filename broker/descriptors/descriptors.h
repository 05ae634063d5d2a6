// SPDX-License-Identifier: MIT
// All work on clients' descriptors, and every last close of what clients may have queued: done by
// processes of their own, one for each user, so that no user waits for another's. The broker itself
// receives no client's descriptor, and is never the last to close a connection.
#pragma once

#include <sys/types.h>

#include <asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "broker/descriptors/lane.h"
#include "broker/descriptors/passed_descriptor.h"
#include "util/fd.h"
#include "util/timer.h"

namespace px::broker {

class Descriptors : private LaneOwner {
 public:
  struct Options {
    Lane::Deadlines deadlines = {};
    std::chrono::milliseconds idle = std::chrono::seconds(10);  // that a process is kept
    std::size_t most_processes = 64;                            // besides abandoned ones
    std::size_t most_due = 1024;  // connections that wait to be closed
  };

  explicit Descriptors(asio::io_context& context) : Descriptors(context, Options{}) {}
  Descriptors(asio::io_context& context, Options options);
  ~Descriptors();
  Descriptors(const Descriptors&) = delete;
  Descriptors& operator=(const Descriptors&) = delete;

  // Starts the process that is kept: best before there is a listener, which the fork would hold
  // open for a moment if the broker were killed just then.
  void begin() { closer_->begin(); }
  // What comes with the message at the head of the connection's queue.
  [[nodiscard]] PassedDescriptor brought(uid_t user, std::shared_ptr<ipc::PacketSocket> connection);
  // Ends a client's connection: at once for the client, and without waiting for what may be queued
  // there. Who the client is, the kernel tells.
  void end(Fd connection);
  // The same as a function that may be called later than this object lives: then the end of this
  // process ends the connection.
  [[nodiscard]] std::function<void(Fd)> ender();

  // Connections that are due to be closed hold a descriptor each: there had better be no more now.
  [[nodiscard]] bool is_behind() const {
    return closer_->due() + clean_.size() >= options_.most_due;
  }

  // That are there for further tasks.
  [[nodiscard]] std::size_t processes() const { return running_.size(); }

 private:
  [[nodiscard]] bool may_start(Lane& lane) override;
  void started(Lane& lane) override { running_.insert(&lane); }
  void ended(Lane& lane) override;
  void rests(Lane& lane) override;
  void retire(Fd socket) override;

  [[nodiscard]] std::shared_ptr<Lane> lane_of(uid_t user);
  void look_for_idle();
  void drop_clean();

  asio::io_context& context_;
  Options options_;
  // Of connections in which nothing is queued, of whichever user. Its process is kept: another one
  // would have to be started to close the socket to it.
  std::shared_ptr<Lane> closer_;
  std::map<uid_t, std::shared_ptr<Lane>> lanes_;
  std::set<Lane*> running_;                  // those with a process
  std::set<std::shared_ptr<Lane>> waiting_;  // to proceed()
  bool one_is_to_rest_ = false;              // whether one of them waits for another's process
  std::uint64_t numbers_ = 0;
  bool looking_ = false;
  Timer timer_;
  std::vector<Fd> clean_;  // to be handed over to the closer_
  Timer together_;
  std::shared_ptr<Descriptors*> self_;  // for functions that may outlive it
};

}  // namespace px::broker
