// SPDX-License-Identifier: MIT
#include "util/timer.h"

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <utility>

namespace px {

struct Timer::Impl {
  asio::steady_timer timer;
};

Timer::Timer(asio::io_context& context) : impl_(new Impl{asio::steady_timer(context)}) {}

Timer::~Timer() = default;

void Timer::after(std::chrono::milliseconds time, std::function<void()> done) {
  impl_->timer.expires_after(time);
  impl_->timer.async_wait([done = std::move(done)](const std::error_code& error) {
    if (!error) done();
  });
}

}  // namespace px
