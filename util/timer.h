// SPDX-License-Identifier: MIT
// A timer of an event loop, without asio in the header. Its owner may end it at any time; single-
// threaded, everything on the io_context's thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

namespace asio {
class io_context;
}

namespace px {

class Timer {
 public:
  explicit Timer(asio::io_context& context);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  // Calls back once, in place of the call that is due so far.
  void after(std::chrono::milliseconds time, std::function<void()> done);

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace px
