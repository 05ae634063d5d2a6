// SPDX-License-Identifier: MIT
// The broker's socket: accepts connections within each user's quota, and answers every message or
// closes. The answers come from the handlers that services have registered with the dispatcher.
#pragma once

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <cstddef>
#include <filesystem>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "broker/sessions/dispatcher.h"
#include "ipc/packet_socket.h"
#include "ipc/peer.h"
#include "util/error.h"
#include "util/fd.h"

namespace px::broker {

using ipc::PacketSocket;
using ipc::Peer;

class Server {
 public:
  struct Limits {
    std::size_t per_user;
    std::size_t in_all;
  };

  Server(asio::io_context& context, Limits limits, const Dispatcher& dispatcher);

  // Listens at the path (mode 0666: what a client may do depends on its credentials), in place of a
  // dead broker's socket. An error where another broker answers there.
  [[nodiscard]] Expected<void> listen(const std::filesystem::path& path);
  // The same on a socket that listens already.
  void listen(Fd listener);

  // Sends an event to every watcher that may see it: the administrators and, where the event is
  // about a program, its owner; else everyone.
  void broadcast(const std::string& event, std::optional<uid_t> owner);

  [[nodiscard]] bool watched() const;
  [[nodiscard]] std::size_t connections() const { return counts_->in_all; }
  [[nodiscard]] const Limits& limits() const { return limits_; }

 private:
  struct Client;
  // Outlives the server while the event loop still holds clients.
  struct Counts {
    std::size_t in_all = 0;
    std::map<uid_t, std::size_t> per_user;
  };
  using ClientPointer = std::shared_ptr<Client>;

  void accept_soon();
  void accept_some();
  void admit(Fd socket);
  void serve(const ClientPointer& client);
  void answer(const ClientPointer& client, const PacketSocket::Incoming& incoming);
  void watch(const ClientPointer& client);
  void send_events(const ClientPointer& client);

  asio::io_context& context_;
  Limits limits_;
  const Dispatcher& dispatcher_;
  asio::posix::stream_descriptor listener_;
  Fd spare_;  // given up for a moment to turn a connection away when descriptors run out
  std::shared_ptr<Counts> counts_ = std::make_shared<Counts>();
  std::list<std::weak_ptr<Client>> watchers_;
};

}  // namespace px::broker
