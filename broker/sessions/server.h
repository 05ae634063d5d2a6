// SPDX-License-Identifier: MIT
// The broker's socket: accepts connections as there are places, and answers every message in its
// turn, or closes. The answers come from the handlers that services have registered with the
// dispatcher.
#pragma once

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "broker/descriptors/descriptors.h"
#include "broker/sessions/dispatcher.h"
#include "broker/sessions/places.h"
#include "broker/sessions/turns.h"
#include "ipc/packet_socket.h"
#include "ipc/peer.h"
#include "util/error.h"
#include "util/fd.h"

namespace px::broker {

using ipc::PacketSocket;
using ipc::Peer;

class Server {
 public:
  using Limits = Places::Limits;

  Server(asio::io_context& context, Limits limits, const Dispatcher& dispatcher,
         Descriptors& descriptors, CountedAs counted_as = &counted_as_itself);

  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Listens at the path (mode 0666: what a client may do depends on its credentials), in place of a
  // dead broker's socket. An error where another broker answers there.
  [[nodiscard]] Expected<void> listen(const std::filesystem::path& path);
  // The same on a socket that listens already.
  void listen(Fd listener);
  // Beside it, on a socket that others can reach than the first: for those that `admits` alone.
  using Admits = std::function<bool(const Peer&)>;
  void listen_beside(Fd listener, Admits admits);

  // Sends an event to every watcher that may see it: the administrators and, where the event is
  // about a program, its owner; else everyone. An event costs the same however many of other users
  // watch.
  void broadcast(const std::string& event, std::optional<uid_t> owner);

  // That a user who is no administrator may have: each of them makes events dearer.
  static constexpr std::size_t kMostWatchers = 16;
  [[nodiscard]] bool may_watch(uid_t user) const;
  // Whether anybody watches; and whether somebody who may see what is about an owner's programs.
  [[nodiscard]] bool watched() const { return !watchers_.empty(); }
  [[nodiscard]] bool watched(uid_t owner) const;
  [[nodiscard]] std::size_t connections() const { return places_.count(); }
  [[nodiscard]] const Limits& limits() const { return places_.limits(); }

 private:
  struct Client;
  using ClientPointer = std::shared_ptr<Client>;

  struct Listener;
  void accept_soon(Listener& listener);
  void accept_some(Listener& listener);
  void take_in(const Listener& listener, Fd socket);
  void admit(const Listener& listener, const ClientPointer& client);
  void serve(const ClientPointer& client);
  void queue(const ClientPointer& client, PacketSocket::Incoming incoming);
  void take_turns();
  void take_slice();
  void answer(const ClientPointer& client, const PacketSocket::Incoming& incoming);
  void send(const ClientPointer& client, Answer answer);
  void watch(const ClientPointer& client);
  void hold(const ClientPointer& client);
  void send_events(const ClientPointer& client);
  using Watchers = std::list<std::weak_ptr<Client>>;
  void tell(const Watchers& watchers, const std::string& event);

  asio::io_context& context_;
  const Dispatcher& dispatcher_;
  Descriptors& descriptors_;
  CountedAs counted_as_;
  Places places_;
  Turns turns_;
  bool taking_turns_ = false;        // the event loop has the next slice
  asio::steady_timer next_request_;  // where nothing is due before
  std::list<std::unique_ptr<Listener>> listeners_;
  Fd spare_;  // given up for a moment to turn a connection away when descriptors run out
  std::map<uid_t, Watchers> watchers_;  // by who they are; none is empty
};

}  // namespace px::broker
