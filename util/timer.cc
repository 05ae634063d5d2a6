// SPDX-License-Identifier: MIT
#include "util/timer.h"

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <cstdint>
#include <utility>

namespace px {

struct Timer::Impl {
  asio::steady_timer timer;
  // Asio calls back, without an error, also where the timer ended or was set anew after it expired.
  std::uint64_t calls = 0;
};

Timer::Timer(asio::io_context& context) : impl_(new Impl{.timer = asio::steady_timer(context)}) {}

Timer::~Timer() = default;

void Timer::after(std::chrono::milliseconds time, std::function<void()> done) {
  const std::uint64_t call = ++impl_->calls;
  impl_->timer.expires_after(time);
  impl_->timer.async_wait(
      [impl = std::weak_ptr(impl_), call, done = std::move(done)](const std::error_code& error) {
        const auto timer = impl.lock();
        if (!error && timer && timer->calls == call) done();
      });
}

}  // namespace px
