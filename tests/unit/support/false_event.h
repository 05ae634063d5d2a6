// SPDX-License-Identifier: MIT
// Lets asio complete a wait for a descriptor that is not ready, as it does under load: an event of
// a descriptor that is gone waits in its queue, and the next descriptor gets the record of that
// one.
#pragma once

#include <unistd.h>

#include <array>
#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <functional>
#include <memory>
#include <utility>

namespace px {

// The first descriptor that `make` gives to asio gets the false event. Runs the loop until then.
inline void with_false_event(asio::io_context& context, const std::function<void()>& make) {
  struct Pipe {
    explicit Pipe(asio::io_context& context) : reader(context) {
      std::array<int, 2> ends{};
      if (pipe(ends.data()) != 0) std::abort();
      reader.assign(ends[0]);
      close(ends[1]);  // so it is readable at once
    }
    asio::posix::stream_descriptor reader;
  };
  auto first = std::make_unique<Pipe>(context);
  auto second = std::make_unique<Pipe>(context);
  bool made = false;
  const auto replace = [&](std::unique_ptr<Pipe>& other) {
    return [&](const std::error_code& error) {
      if (error || std::exchange(made, true)) return;
      other.reset();
      make();
    };
  };
  using asio::posix::stream_descriptor;
  first->reader.async_wait(stream_descriptor::wait_read, replace(second));
  second->reader.async_wait(stream_descriptor::wait_read, replace(first));
  while (!made) context.run_one();
  context.poll();
}

}  // namespace px
