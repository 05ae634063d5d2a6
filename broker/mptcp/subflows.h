// SPDX-License-Identifier: MIT
// Has the kernel make subflows of programs' MPTCP connections to the other members of their
// bundles, and to nothing else (PB-4). Takes the path manager while the policy asks for it. Owned
// by the daemon; single-threaded, everything on the io_context's thread.
#pragma once

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>
#include <functional>
#include <optional>
#include <string>

#include "broker/mptcp/connections.h"
#include "broker/mptcp/mptcp_netlink.h"
#include "broker/mptcp/mptcp_socket.h"
#include "broker/mptcp/path_manager.h"
#include "util/error.h"

namespace px::broker {

class MptcpSubflows {
 public:
  // How a member is reached under a profile now; nothing where it is not, or there is none.
  using Decide = std::function<std::optional<MemberEgress>(const std::string& profile,
                                                           const bundle::Endpoint&)>;

  MptcpSubflows(asio::io_context& context, MptcpPathManager path_manager, Decide decide);
  MptcpSubflows(const MptcpSubflows&) = delete;
  MptcpSubflows& operator=(const MptcpSubflows&) = delete;

  // Whether connections are to have more subflows. An error where they cannot: each connection then
  // keeps its first subflow alone.
  Expected<void> require(bool wanted);
  // The last answer of require(), without asking the kernel again.
  [[nodiscard]] const Expected<void>& state() const { return state_; }
  // The same, and an error where none are wanted.
  [[nodiscard]] Expected<void> available() const;

  // The connection of this socket, connected or about to be. Members whose egress has another mark
  // than the socket are left out: a connection has one mark. An error: it gets no subflow, and why.
  // The wish's mark is filled in here.
  [[nodiscard]] Expected<void> add(const MptcpSocket& socket, SubflowWish wish,
                                   std::uint32_t mark_mask);
  void plans_changed();

 private:
  void hear(const MptcpEvent& event);
  [[nodiscard]] bool can_have(const std::optional<plan::Entry>& entry, std::uint32_t mark) const;
  void try_one(const DueSubflow& due);
  void hear_events();
  void work();
  [[nodiscard]] Expected<void> open();

  MptcpConnections connections_;
  MptcpPathManager path_manager_;
  Decide decide_;
  std::optional<MptcpNetlink> netlink_;
  asio::posix::stream_descriptor events_;
  asio::steady_timer timer_;
  bool wanted_ = false;
  bool goes_on_ = false;  // in the event loop's next turn
  std::uint32_t mark_mask_ = 0;
  Expected<void> state_;
};

}  // namespace px::broker
