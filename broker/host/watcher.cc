// SPDX-License-Identifier: MIT
#include "broker/host/watcher.h"

#include <algorithm>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <utility>

#include "broker/host/entries.h"
#include "broker/host/own_routing.h"
#include "netlink/kernel_state_changes.h"
#include "netlink/kernel_state_dump.h"

namespace px::broker {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kQuiet{10};
constexpr std::chrono::milliseconds kRetry{100};

}  // namespace

class Watcher::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(asio::io_context& context, Changed changed, Failed failed, WatcherOptions options)
      : events_(context),
        timer_(context),
        changed_(std::move(changed)),
        failed_(std::move(failed)),
        options_(std::move(options)) {}

  Expected<Snapshot> start() {
    PX_ASSIGN_OR_RETURN(auto fd, netlink::subscribe_to_kernel_state(options_.receive_buffer));
    events_.assign(fd.release());
    await_event();
    return refresh();
  }

  void set_added_routers(std::vector<AddedRouter> routers) { routers_ = std::move(routers); }

  void set_link_names(LinkNamesByInterface names) { link_names_ = std::move(names); }

  Expected<Snapshot> refresh() {
    const auto started = Clock::now();
    PX_ASSIGN_OR_RETURN(auto state, netlink::read_kernel_state());
    current_ = snapshot_of(without_own_routing(std::move(state)), routers_);
    current_.link_names = link_names_;
    cost_ = Clock::now() - started;
    return current_;
  }

 private:
  void await_event() {
    events_.async_wait(asio::posix::stream_descriptor::wait_read,
                       [weak = weak_from_this()](const asio::error_code& error) {
                         const auto self = weak.lock();
                         if (!self || error) return;
                         self->drain();
                         self->await_event();
                         self->on_event();
                       });
  }

  // Routes of others do not disturb what px has put beside them, and its own are added by itself.
  void drain() {
    const bool heard_all = netlink::read_kernel_state_changes(
        events_.native_handle(), [this](const netlink::KernelStateChange& change) {
          const bool own_removed = change.is_removal && change.protocol == kOwnProtocol;
          if (!change.is_route || own_removed) disturbed_ = true;
        });
    if (!heard_all) disturbed_ = true;
  }

  void on_event() {
    if (waiting_) {
      missed_ = true;
    } else {
      look();
    }
  }

  void look() {
    const Snapshot before = current_;
    const auto now = refresh();
    missed_ = !now.has_value();
    // A host with very many routes that keep changing may cost half of a processor, not a whole
    // one.
    wait(now ? std::max<Clock::duration>(kQuiet, cost_) : kRetry);
    if (!now) {
      if (failed_) failed_(now.error());
      return;
    }
    const bool disturbed = std::exchange(disturbed_, false);
    if (!(*now == before)) {
      changed_(*now);
    } else if (disturbed && options_.disturbed) {
      options_.disturbed();
    }
  }

  void wait(Clock::duration duration) {
    waiting_ = true;
    timer_.expires_after(duration);
    timer_.async_wait([weak = weak_from_this()](const asio::error_code& error) {
      const auto self = weak.lock();
      if (!self || error) return;
      self->waiting_ = false;
      if (self->missed_) self->look();
    });
  }

  asio::posix::stream_descriptor events_;
  asio::steady_timer timer_;
  Changed changed_;
  Failed failed_;
  WatcherOptions options_;
  std::vector<AddedRouter> routers_;
  LinkNamesByInterface link_names_;
  Snapshot current_;
  Clock::duration cost_{};
  bool disturbed_ = false;
  bool waiting_ = false;  // the quiet interval after a reading
  bool missed_ = false;   // an event came in it, or the reading failed
};

Watcher::Watcher(asio::io_context& context, Changed changed, Failed failed, WatcherOptions options)
    : impl_(std::make_shared<Impl>(context, std::move(changed), std::move(failed),
                                   std::move(options))) {}

// Handlers that still wait hold the Impl only weakly: it goes now, and closes what it waits on.
Watcher::~Watcher() = default;

Expected<Snapshot> Watcher::start() {
  return impl_->start();
}

void Watcher::set_added_routers(std::vector<AddedRouter> routers) {
  impl_->set_added_routers(std::move(routers));
}

void Watcher::set_link_names(LinkNamesByInterface names) {
  impl_->set_link_names(std::move(names));
}

Expected<Snapshot> Watcher::refresh() {
  return impl_->refresh();
}

}  // namespace px::broker
