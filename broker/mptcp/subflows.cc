// SPDX-License-Identifier: MIT
#include "broker/mptcp/subflows.h"

#include <fcntl.h>
#include <linux/mptcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <cstddef>

namespace px::broker {
namespace {

constexpr MptcpConnections::Limits kLimits{1024, 8192};
constexpr int kSolMptcp = 284;  // newer than Debian 12's libc headers

std::uint64_t now_ms() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

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

std::optional<bundle::Address> peer_of(const Fd& socket) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (getpeername(socket.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    return std::nullopt;
  }
  const auto peer =
      bundle::endpoint_from_sockaddr(reinterpret_cast<const sockaddr*>(&address), length);
  return peer ? std::optional(peer->address) : std::nullopt;
}

std::uint32_t option_of(const Fd& socket, int name) {
  std::uint32_t value = 0;
  socklen_t length = sizeof value;
  return getsockopt(socket.get(), SOL_SOCKET, name, &value, &length) == 0 ? value : 0;
}

}  // namespace

MptcpSubflows::MptcpSubflows(asio::io_context& context, const std::filesystem::path& directory)
    : connections_(kLimits), path_manager_(directory), events_(context), timer_(context) {}

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
  auto netlink = MptcpNetlink::open();
  if (!netlink) return tl::make_unexpected(netlink.error());
  netlink_ = std::move(*netlink);
  // The descriptor stays the netlink socket's; asio closes a copy of its own.
  events_.assign(fcntl(netlink_->events_fd(), F_DUPFD_CLOEXEC, 0));
  hear_events();
  return {};
}

void MptcpSubflows::hear_events() {
  events_.async_wait(asio::posix::stream_descriptor::wait_read,
                     [this](const std::error_code& error) {
                       if (error) return;
                       const bool all = netlink_->read_events([this](const MptcpEvent& event) {
                         switch (event.kind) {
                           case MptcpEvent::Kind::kCreated:
                             return connections_.created(event.token, event.peer, now_ms());
                           case MptcpEvent::Kind::kClosed:
                             return connections_.closed(event.token);
                           case MptcpEvent::Kind::kSubflowUp:
                             return connections_.subflow_up(event.token, event.peer);
                           case MptcpEvent::Kind::kSubflowDown:
                             return connections_.subflow_down(event.token, event.peer, now_ms());
                         }
                       });
                       if (!all) connections_.missed_events(now_ms());
                       work();
                       hear_events();
                     });
}

Expected<void> MptcpSubflows::add(const Fd& socket, uid_t user, std::vector<MemberWay> ways,
                                  std::uint32_t mark_mask) {
  if (!wanted_) return fail("the policy's profiles have no 'mptcp' in their transports");
  if (!state_) return state_;
  // Another broker that ended may have given it back.
  if (auto taken = path_manager_.take(); !taken) return taken;
  const auto token = token_of(socket);
  if (!token) return tl::make_unexpected(token.error());
  const std::uint32_t mark = option_of(socket, SO_MARK) & mark_mask;
  const bool ipv4_alone = option_of(socket, SO_DOMAIN) == AF_INET;
  std::erase_if(ways, [&](const MemberWay& way) {
    const std::uint32_t wanted = way.entry ? way.entry->mark & mark_mask : 0;
    return wanted != mark || (ipv4_alone && !way.member.address.is_ipv4());
  });
  if (!connections_.want(*token, user, ways, peer_of(socket), now_ms())) {
    return fail("too many connections have further subflows");
  }
  work();
  return {};
}

void MptcpSubflows::work() {
  for (const SubflowAttempt& attempt : connections_.due(now_ms())) {
    connections_.answered(attempt, netlink_->create(attempt), now_ms());
  }
  const auto next = connections_.next_due();
  if (!next) return;
  timer_.expires_at(std::chrono::steady_clock::time_point(std::chrono::milliseconds(*next)));
  timer_.async_wait([this](const std::error_code& error) {
    if (!error) work();
  });
}

}  // namespace px::broker
