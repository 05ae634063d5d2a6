// SPDX-License-Identifier: MIT
#include "broker/mptcp/subflows.h"

#include <fcntl.h>
#include <linux/mptcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <cstddef>

#include "util/clock.h"
#include "util/socket_option.h"

namespace px::broker {
namespace {

constexpr MptcpConnections::Limits kLimits{1024, 8192};
constexpr int kSolMptcp = 284;  // newer than Debian 12's libc headers

Expected<MptcpToken> token_of(const Fd& socket) {
  mptcp_info info{};
  socklen_t length = sizeof info;
  if (getsockopt(socket.get(), kSolMptcp, MPTCP_INFO, &info, &length) != 0) {
    return errno == EOPNOTSUPP ? fail("the peer does not speak MPTCP")
                               : fail_errno("the connection's token cannot be read");
  }
  if (length < offsetof(mptcp_info, mptcpi_token) + sizeof info.mptcpi_token ||
      info.mptcpi_token == 0) {
    return fail("the connection has no token");
  }
  return info.mptcpi_token;
}

std::optional<MptcpPeer> peer_of(const Fd& socket) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (getpeername(socket.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    return std::nullopt;
  }
  const auto peer =
      bundle::endpoint_from_sockaddr(reinterpret_cast<const sockaddr*>(&address), length);
  return peer ? std::optional(MptcpPeer{peer->address, peer->scope}) : std::nullopt;
}

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

Expected<void> MptcpSubflows::add(const Fd& socket, SubflowWish wish, std::uint32_t mark_mask) {
  if (!wanted_) return fail("the policy's profiles have no 'mptcp' in their transports");
  if (!state_) return state_;
  // Another broker that ended may have given it back.
  PX_TRY(path_manager_.take());
  PX_ASSIGN_OR_RETURN(const auto token, token_of(socket));
  mark_mask_ = mark_mask;
  wish.mark =
      socket_option<std::uint32_t>(socket.get(), SOL_SOCKET, SO_MARK).value_or(0) & mark_mask;
  const bool ipv4_alone = socket_option(socket.get(), SOL_SOCKET, SO_DOMAIN) == AF_INET;
  std::erase_if(wish.members, [&](const bundle::Endpoint& member) {
    return ipv4_alone && !member.address.is_ipv4();
  });
  connections_.want(token, std::move(wish), peer_of(socket), monotonic_ms());
  work();
  return {};
}

void MptcpSubflows::plans_changed() {
  connections_.plans_changed(monotonic_ms());
  if (netlink_) work();
}

void MptcpSubflows::try_one(const DueSubflow& due) {
  const auto egress = decide_(due.profile, due.member);
  if (!egress || (egress->entry ? egress->entry->mark & mark_mask_ : 0) != due.mark) {
    return connections_.has_no_egress(due);
  }
  const auto id = connections_.local_id(due.token, source_of(*egress));
  connections_.answered(due, netlink_->create({due.token, *egress, id}), monotonic_ms());
}

void MptcpSubflows::work() {
  for (const DueSubflow& due : connections_.due(monotonic_ms())) try_one(due);
  const auto next = connections_.next_due();
  if (!next) return;
  // steady_clock is CLOCK_MONOTONIC.
  timer_.expires_at(std::chrono::steady_clock::time_point(std::chrono::milliseconds(*next)));
  timer_.async_wait([this](const std::error_code& error) {
    if (!error) work();
  });
}

}  // namespace px::broker
