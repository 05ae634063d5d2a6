// SPDX-License-Identifier: MIT
// A descriptor process, as the broker sees it: a fork of the broker that has nothing of it but the
// ends of a socket and of a pipe. It may hang for as long as a client likes, and then not even
// SIGKILL ends it: nothing here waits for it.
#pragma once

#include <sys/types.h>

#include <array>
#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "broker/descriptors/task.h"
#include "util/error.h"
#include "util/fd.h"

namespace px::broker {

class DescriptorProcess : public std::enable_shared_from_this<DescriptorProcess> {
 public:
  // It is ready for tasks. Waits for as long as the kernel takes to give the process its turn.
  [[nodiscard]] static Expected<std::shared_ptr<DescriptorProcess>> start(
      asio::io_context& context);
  DescriptorProcess(asio::io_context& context, pid_t pid, Fd tasks);
  DescriptorProcess(const DescriptorProcess&) = delete;
  DescriptorProcess& operator=(const DescriptorProcess&) = delete;
  // Kills it. What it has not read yet goes with it.
  ~DescriptorProcess();

  // 0, or an errno. The connections stay whose they are.
  [[nodiscard]] int send(const Task& task, std::span<const int> connections) const;
  // The next result; nothing where none will come. Not called once the process is let go.
  void receive(std::function<void(const Result*)> done);
  // Calls back once, when the process has ended and is reaped.
  void watch_end(std::function<void()> ended);
  void kill() const;
  // The socket to it, which is not to be closed here: others may be queued behind it.
  [[nodiscard]] Fd take_tasks() { return std::move(tasks_); }

 private:
  [[nodiscard]] Expected<void> open(Fd results);

  pid_t pid_;
  Fd tasks_;
  asio::posix::stream_descriptor results_;
  asio::posix::stream_descriptor process_;
  std::size_t received_ = 0;
  Result result_;
};

}  // namespace px::broker
