// SPDX-License-Identifier: MIT
#include "broker/mptcp/subflows.h"

#include <fcntl.h>

#include <asio/post.hpp>
#include <chrono>
#include <utility>

#include "util/clock.h"
#include "util/fd.h"

namespace px::broker {
namespace {

constexpr MptcpConnections::Limits kLimits{1024, 8192};
// Attempts in one turn of the event loop: each takes the kernel as long as a connect.
constexpr std::size_t kAtATime = 16;

}  // namespace

MptcpSubflows::MptcpSubflows(asio::io_context& context, MptcpPathManager path_manager,
                             Decide decide)
    : connections_(kLimits),
      path_manager_(std::move(path_manager)),
      decide_(std::move(decide)),
      events_(context),
      timer_(context) {}

Expected<void> MptcpSubflows::require(bool wanted) {
  wanted_ = wanted;
  if (!wanted) {
    state_ = path_manager_.give_back();
    return state_;
  }
  state_ = netlink_ ? Expected<void>() : open();
  if (state_) state_ = path_manager_.take();
  return state_;
}

Expected<void> MptcpSubflows::open() {
  PX_ASSIGN_OR_RETURN(auto netlink, MptcpNetlink::open());
  // The descriptor stays the netlink socket's; asio closes a copy of its own.
  Fd events(fcntl(netlink.events_fd(), F_DUPFD_CLOEXEC, 0));
  if (!events) return fail_errno("cannot hear of MPTCP's connections");
  events_.assign(events.release());
  netlink_ = std::move(netlink);
  hear_events();
  return {};
}

void MptcpSubflows::hear_events() {
  events_.async_wait(
      asio::posix::stream_descriptor::wait_read, [this](const std::error_code& error) {
        if (error) return;
        hear_events();
        const bool all = netlink_->read_events([this](const MptcpEvent& event) { hear(event); });
        if (!all) connections_.missed_events(monotonic_ms());
        work();
      });
}

void MptcpSubflows::hear(const MptcpEvent& event) {
  switch (event.kind) {
    case MptcpEvent::Kind::kCreated:
      return connections_.created(event.token, event.peer, monotonic_ms());
    case MptcpEvent::Kind::kClosed:
      return connections_.closed(event.token);
    case MptcpEvent::Kind::kSubflowUp:
      return connections_.subflow_up(event.token, event.peer);
    case MptcpEvent::Kind::kSubflowDown:
      return connections_.subflow_down(event.token, event.peer, monotonic_ms());
  }
}

Expected<void> MptcpSubflows::available() const {
  if (!wanted_) return fail("the policy's profiles have no 'mptcp' in their transports");
  return state_;
}

Expected<void> MptcpSubflows::add(const MptcpSocket& socket, SubflowWish wish,
                                  std::uint32_t mark_mask) {
  PX_TRY(available());
  // Another broker that ended may have given it back.
  PX_TRY(path_manager_.take());
  mark_mask_ = mark_mask;
  wish.mark = socket.mark & mark_mask;
  std::erase_if(wish.members, [&](const bundle::Endpoint& member) {
    return socket.ipv4_alone && !member.address.is_ipv4();
  });
  connections_.want(socket.token, std::move(wish), socket.peer, monotonic_ms());
  work();
  return {};
}

void MptcpSubflows::plans_changed() {
  connections_.plans_changed(monotonic_ms());
  if (netlink_) work();
}

// A connection has one mark, which its subflows inherit; each has a device of its own.
bool MptcpSubflows::can_have(const std::optional<plan::Entry>& entry, std::uint32_t mark) const {
  if (!entry) return mark == 0;
  if (mark == 0 && (entry->flags & plan::kEntryMarkOptional) != 0) return true;
  return (entry->mark & mark_mask_) == mark;
}

void MptcpSubflows::try_one(const DueSubflow& due) {
  const auto egress = decide_(due.profile, due.member);
  if (!egress || !can_have(egress->entry, due.mark)) return connections_.has_no_egress(due);
  const auto id = connections_.local_id(due.token, source_of(*egress));
  connections_.answered(due, netlink_->create({due.token, *egress, id}), monotonic_ms());
}

void MptcpSubflows::work() {
  if (goes_on_) return;
  const auto due = connections_.due(monotonic_ms(), kAtATime);
  for (const DueSubflow& one : due) try_one(one);
  if (due.size() == kAtATime) {
    goes_on_ = true;
    asio::post(events_.get_executor(), [this] {
      goes_on_ = false;
      work();
    });
    return;
  }
  const auto next = connections_.next_due();
  if (!next) return;
  // steady_clock is CLOCK_MONOTONIC.
  timer_.expires_at(std::chrono::steady_clock::time_point(std::chrono::milliseconds(*next)));
  timer_.async_wait([this](const std::error_code& error) {
    if (!error) work();
  });
}

}  // namespace px::broker
