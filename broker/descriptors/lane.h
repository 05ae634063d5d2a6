// SPDX-License-Identifier: MIT
// The tasks of one user, one after another, and the descriptor process that does them: started when
// there is a task, killed when one takes too long. A process that outlives even SIGKILL is
// abandoned for another one, a few times; then the user's tasks are refused until one of them has
// ended.
#pragma once

#include <asio/io_context.hpp>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "broker/descriptors/process.h"
#include "ipc/packet_socket.h"
#include "util/timer.h"

namespace px::broker {

class Lane;

// What lanes have in common.
class LaneOwner {
 public:
  // Whether there may be one more process. Else the lane is called to proceed() once there may.
  [[nodiscard]] virtual bool may_start(Lane& lane) = 0;
  // The lane has got a process, which has ended or been abandoned.
  virtual void started(Lane& lane) = 0;
  virtual void ended(Lane& lane) = 0;
  virtual void rests(Lane& lane) = 0;
  // A socket to a process that has ended: for another one to close.
  virtual void retire(Fd socket) = 0;

 protected:
  ~LaneOwner() = default;
};

class Lane : public std::enable_shared_from_this<Lane> {
 public:
  struct Deadlines {
    std::chrono::milliseconds late = std::chrono::seconds(1);       // of a task
    std::chrono::milliseconds abandoned = std::chrono::seconds(1);  // after SIGKILL
  };
  // The result, or for people why there is none.
  using Done = std::function<void(Expected<const Result*>)>;
  struct Order {
    Task task;
    std::shared_ptr<ipc::PacketSocket>
        connection;  // that brings what the task is about, if it does
    Done done;
  };
  using Clock = std::chrono::steady_clock;

  Lane(asio::io_context& context, LaneOwner& owner, Deadlines deadlines)
      : context_(context), owner_(owner), deadlines_(deadlines), timer_(context), retry_(context) {}

  void ask(Order order);
  void drop(Fd connection);
  void drop(std::vector<Fd> connections);
  // Starts its process.
  void begin();
  // Goes on, where it can.
  void proceed();
  // Ends its process, which rests.
  void stop();

  [[nodiscard]] bool has_process() const { return process_ != nullptr; }
  [[nodiscard]] bool rests() const;
  [[nodiscard]] bool is_empty() const;
  // Connections that it has to close yet.
  [[nodiscard]] std::size_t due() const { return drops_.size(); }
  [[nodiscard]] std::size_t abandoned() const { return abandoned_.size(); }
  [[nodiscard]] Clock::time_point last_used() const { return last_used_; }

 private:
  using Process = std::shared_ptr<DescriptorProcess>;
  enum class State { kNone, kReady, kBusy, kEnding };

  void start();
  void send_order();
  void send_drops();
  void bury();
  void await_result();
  void heard(const Process& process, const Result* result);
  void kill(const std::string& why);
  void ended(const Process& process);
  void abandon();
  void finish(const Expected<const Result*>& result);
  void refuse_all(const std::string& why);
  // Calls back unless the state has changed since.
  void after(std::chrono::milliseconds time, std::function<void()> done);
  [[nodiscard]] int hand_over(const DescriptorProcess& process);

  asio::io_context& context_;
  LaneOwner& owner_;
  Deadlines deadlines_;
  Timer timer_;
  Timer retry_;
  State state_ = State::kNone;
  std::uint64_t changes_ = 0;  // of the state
  Process process_;
  std::vector<Process> abandoned_;
  std::deque<Order> orders_;
  std::deque<Fd> drops_;
  Done outstanding_;
  Clock::time_point last_used_ = Clock::now();
};

}  // namespace px::broker
