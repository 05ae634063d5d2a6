// SPDX-License-Identifier: MIT
#include "broker/host/watcher.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>
#include <cerrno>
#include <chrono>
#include <utility>

#include "broker/host/entries.h"
#include "broker/host/own_routing.h"
#include "netlink/kernel_state_dump.h"
#include "util/fd.h"

namespace px::broker {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kQuiet{10};
constexpr std::chrono::milliseconds kRetry{100};
constexpr int kGroups[] = {RTNLGRP_LINK,       RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
                           RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,  RTNLGRP_IPV4_RULE,
                           RTNLGRP_IPV6_RULE};

Expected<Fd> subscribe(int receive_buffer) {
  Fd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
  if (!fd) return fail_errno("cannot open a netlink socket");
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  sockaddr_nl any{};
  any.nl_family = AF_NETLINK;
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any) != 0) {
    return fail_errno("cannot bind a netlink socket");
  }
  for (const int group : kGroups) {
    if (::setsockopt(fd.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) != 0) {
      return fail_errno("cannot subscribe to the kernel's network events");
    }
  }
  return fd;
}

}  // namespace

class Watcher::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(asio::io_context& context, Changed changed, Failed failed, WatcherOptions options)
      : events_(context),
        timer_(context),
        changed_(std::move(changed)),
        failed_(std::move(failed)),
        options_(options) {}

  Expected<Snapshot> start() {
    auto fd = subscribe(options_.receive_buffer);
    if (!fd) return tl::make_unexpected(std::move(fd.error()));
    events_.assign(fd->release());
    await_event();
    return refresh();
  }

  void set_added_routers(std::vector<AddedRouter> routers) { routers_ = std::move(routers); }

  Expected<Snapshot> refresh() {
    const auto started = Clock::now();
    auto state = read_kernel_state();
    if (!state) return tl::make_unexpected(std::move(state.error()));
    current_ = snapshot_of(without_own_routing(std::move(*state)), routers_);
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

  // What an event says beyond its kind does not matter, nor that the kernel had to drop some.
  void drain() {
    struct {
      nlmsghdr header;
      rtmsg route;
    } event{};
    for (;;) {
      const ssize_t got = ::recv(events_.native_handle(), &event, sizeof event, MSG_TRUNC);
      if (got < 0 && errno != ENOBUFS && errno != EINTR) return;
      const auto type = event.header.nlmsg_type;
      const bool foreign_route = event.route.rtm_protocol != kOwnProtocol &&
                                 (type == RTM_NEWROUTE || type == RTM_DELROUTE);
      if (got < 0 || !(foreign_route || type == RTM_NEWROUTE)) disturbed_ = true;
    }
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

Expected<Snapshot> Watcher::refresh() {
  return impl_->refresh();
}

}  // namespace px::broker
