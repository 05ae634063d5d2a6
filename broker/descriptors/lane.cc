// SPDX-License-Identifier: MIT
#include "broker/descriptors/lane.h"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>

namespace px::broker {
namespace {

constexpr std::size_t kMostAbandoned = 4;
constexpr std::chrono::seconds kRetry{1};

}  // namespace

void Lane::ask(Order order) {
  orders_.push_back(std::move(order));
  proceed();
}

void Lane::drop(Fd connection) {
  drops_.push_back(std::move(connection));
  proceed();
}

void Lane::drop(std::vector<Fd> connections) {
  std::ranges::move(connections, std::back_inserter(drops_));
  proceed();
}

bool Lane::rests() const {
  return state_ == State::kReady && orders_.empty() && drops_.empty();
}

bool Lane::is_empty() const {
  return process_ == nullptr && orders_.empty() && drops_.empty() && abandoned_.empty();
}

void Lane::after(std::chrono::milliseconds time, std::function<void()> done) {
  timer_.after(time, [this, change = changes_, done = std::move(done)] {
    if (changes_ == change) done();
  });
}

void Lane::begin() {
  if (state_ == State::kNone) start();
}

void Lane::proceed() {
  if (state_ == State::kNone && (!orders_.empty() || !drops_.empty())) start();
  while (state_ == State::kReady && !orders_.empty() && drops_.size() < kMostConnections) {
    send_order();
  }
  if (state_ == State::kReady && !drops_.empty()) send_drops();
  if (state_ == State::kReady && !orders_.empty()) send_order();
}

void Lane::start() {
  if (abandoned_.size() >= kMostAbandoned) {
    refuse_all("descriptors of this user's programs keep " + std::to_string(kMostAbandoned) +
               " processes of the broker waiting");
    return bury();
  }
  if (!owner_.may_start(*this)) return;
  auto started = DescriptorProcess::start(context_);
  if (!started) {
    refuse_all(started.error().message);
    return retry_.after(kRetry, [this] { proceed(); });
  }
  process_ = std::move(*started);
  process_->watch_end([weak = weak_from_this(), process = std::weak_ptr(process_)] {
    const auto lane = weak.lock();
    const auto ended = process.lock();
    if (lane && ended) lane->ended(ended);
  });
  state_ = State::kReady;
  owner_.started(*this);
}

void Lane::await_result() {
  state_ = State::kBusy;
  ++changes_;
  last_used_ = Clock::now();
  process_->receive(
      [weak = weak_from_this(), process = std::weak_ptr(process_)](const Result* result) {
        const auto lane = weak.lock();
        const auto from = process.lock();
        if (lane && from) lane->heard(from, result);
      });
  after(deadlines_.late,
        [this] { kill("the descriptor that came with it could not be used in time"); });
}

// Without a result the process is ending, which will be told.
void Lane::heard(const Process& process, const Result* result) {
  if (process != process_ || result == nullptr || state_ == State::kEnding) return;
  state_ = State::kReady;
  ++changes_;
  finish(result);
  proceed();
  if (rests()) owner_.rests(*this);
}

void Lane::finish(const Expected<const Result*>& result) {
  const Done done = std::exchange(outstanding_, nullptr);
  if (done) done(result);
}

void Lane::refuse_all(const std::string& why) {
  const auto orders = std::exchange(orders_, {});
  for (const Order& order : orders) order.done(fail(why));
}

void Lane::send_order() {
  Order order = std::move(orders_.front());
  orders_.pop_front();
  const int connection = order.connection ? order.connection->native_handle() : -1;
  if (order.connection && connection < 0) return order.done(fail("the connection has ended"));
  const std::size_t count = order.connection ? 1 : 0;
  const int error = process_->send(order.task, {&connection, count});
  if (error != 0) {
    order.done(fail_errno("the descriptor process takes nothing", error));
    if (error == EPIPE || error == ECONNRESET) kill("the descriptor process has ended");
    return;
  }
  outstanding_ = std::move(order.done);
  await_result();
}

// Sends as many as may go at once, and then gives up its own copies. The process closes none before
// it is told to, since the broker's close would then be the last. 0, or an errno.
int Lane::hand_over(const DescriptorProcess& process) {
  std::array<int, kMostConnections> connections{};
  const std::size_t count = std::min(drops_.size(), kMostConnections);
  std::transform(drops_.begin(), drops_.begin() + static_cast<std::ptrdiff_t>(count),
                 connections.begin(), [](const Fd& fd) { return fd.get(); });
  Task task;
  task.kind = TaskKind::kHold;
  const int error = process.send(task, {connections.data(), count});
  if (error == 0) drops_.erase(drops_.begin(), drops_.begin() + static_cast<std::ptrdiff_t>(count));
  return error;
}

void Lane::send_drops() {
  int error = hand_over(*process_);
  if (error == 0) {
    Task task;
    task.kind = TaskKind::kDrop;
    error = process_->send(task, {});
    return error == 0 ? await_result() : kill("the descriptor process takes nothing");
  }
  if (error == EPIPE || error == ECONNRESET) return kill("the descriptor process has ended");
  retry_.after(kRetry, [this] { proceed(); });
}

// No process will close them soon. In the queue of one that hangs they take up no descriptor of the
// broker's, and go with it.
void Lane::bury() {
  while (drops_.size() >= kMostConnections) {
    if (hand_over(*abandoned_.back()) != 0) return;
  }
}

void Lane::kill(const std::string& why) {
  process_->kill();
  state_ = State::kEnding;
  ++changes_;
  after(deadlines_.abandoned, [this] { abandon(); });
  finish(fail(why));
}

void Lane::stop() {
  if (rests()) kill("the descriptor process rests");
}

void Lane::abandon() {
  abandoned_.push_back(std::move(process_));
  process_ = nullptr;
  state_ = State::kNone;
  ++changes_;
  owner_.ended(*this);
  proceed();
}

void Lane::ended(const Process& process) {
  owner_.retire(process->take_tasks());
  if (process == process_) {
    process_ = nullptr;
    state_ = State::kNone;
    ++changes_;
    finish(fail("the descriptor process has ended"));
    owner_.ended(*this);
  } else {
    std::erase(abandoned_, process);
  }
  proceed();
}

}  // namespace px::broker
