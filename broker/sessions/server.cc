// SPDX-License-Identifier: MIT
#include "broker/sessions/server.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <chrono>
#include <deque>

#include "broker/identity/administrator.h"
#include "ipc/listener.h"

namespace px::broker {
namespace {

using namespace std::chrono_literals;

constexpr auto kDeadline = 5s;
constexpr std::size_t kMostEvents = 1000;  // that a watcher may be behind
// Connections accepted before other events get their turn: a flood of new ones must not keep the
// accepted ones waiting.
constexpr int kAcceptedAtATime = 16;

// The descriptors go with the first packet.
std::deque<PacketSocket::Outgoing> outgoing(Answer answer) {
  std::deque<PacketSocket::Outgoing> packets;
  for (Answer::Packet& packet : answer.packets) packets.emplace_back().packet = std::move(packet);
  packets.front().descriptors = std::move(answer.descriptors);
  packets.front().owned = std::move(answer.owned);
  return packets;
}

}  // namespace

// A connection and whose it is; it counts against its user's quota while it exists.
struct Server::Client {
  Client(asio::io_context& context, std::shared_ptr<Counts> all_counts, Fd socket, Peer its_peer)
      : counts(std::move(all_counts)),
        connection(
            std::make_shared<PacketSocket>(context, std::move(socket), plan::kLargestMessage)),
        peer(std::move(its_peer)) {
    ++counts->in_all;
    ++counts->per_user[peer.uid];
  }
  ~Client() {
    --counts->in_all;
    if (--counts->per_user[peer.uid] == 0) counts->per_user.erase(peer.uid);
  }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  std::shared_ptr<Counts> counts;
  std::shared_ptr<PacketSocket> connection;
  Peer peer;
  std::deque<std::string> events;  // of a watcher, not sent yet
  bool sending_events = false;
};

Server::Server(asio::io_context& context, Limits limits, const Dispatcher& dispatcher)
    : context_(context),
      limits_(limits),
      dispatcher_(dispatcher),
      listener_(context),
      spare_(open("/dev/null", O_RDONLY | O_CLOEXEC)) {}

Expected<void> Server::listen(const std::filesystem::path& path) {
  PX_ASSIGN_OR_RETURN(Fd socket, ipc::listen_at(path, "broker"));
  listen(std::move(socket));
  return {};
}

void Server::listen(Fd listener) {
  listener_.assign(listener.release());
  accept_soon();
}

void Server::accept_soon() {
  listener_.async_wait(asio::posix::stream_descriptor::wait_read,
                       [this](const std::error_code& error) {
                         if (error) return;
                         accept_some();
                         accept_soon();
                       });
}

void Server::accept_some() {
  for (int i = 0; i < kAcceptedAtATime; ++i) {
    Fd socket(accept4(listener_.native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket && (errno == EMFILE || errno == ENFILE)) {
      spare_.reset();
      Fd turned_away(accept4(listener_.native_handle(), nullptr, nullptr, SOCK_CLOEXEC));
      turned_away.reset();
      spare_.reset(open("/dev/null", O_RDONLY | O_CLOEXEC));
      continue;
    }
    if (!socket) return;
    admit(std::move(socket));
  }
}

void Server::admit(Fd socket) {
  auto peer = ipc::peer_of(socket.get());
  if (!peer) return;
  const auto of_user = counts_->per_user.find(peer->uid);
  const bool full = counts_->in_all >= limits_.in_all && !is_administrator(peer->uid);
  if (full || (of_user != counts_->per_user.end() && of_user->second >= limits_.per_user)) {
    const Answer answer =
        refusal({plan::RefusalCode::kQuota, "too many connections to the broker at a time"});
    const Answer::Packet& packet = answer.packets.front();
    send(socket.get(), packet.data(), packet.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return;
  }
  serve(std::make_shared<Client>(context_, counts_, std::move(socket), std::move(*peer)));
}

// From here on the operation that waits for a client keeps it alive. A client for which none is
// started is let go.
void Server::serve(const ClientPointer& client) {
  client->connection->receive(kDeadline,
                              [this, client](std::optional<PacketSocket::Incoming> incoming) {
                                if (incoming) answer(client, *incoming);
                              });
}

void Server::answer(const ClientPointer& client, const PacketSocket::Incoming& incoming) {
  Answer answer = dispatcher_.dispatch(client->peer, {incoming.packet, incoming.descriptor});
  if (answer.packets.empty()) return;
  const auto then = answer.then;
  client->connection->send(outgoing(std::move(answer)), kDeadline, [this, client, then](bool sent) {
    if (!sent || then == Answer::Then::kClose) return;
    if (then == Answer::Then::kWatch) return watch(client);
    serve(client);
  });
}

void Server::watch(const ClientPointer& client) {
  watchers_.push_back(client);
  client->connection->wait_readable([this, client] {
    client->connection->close();
    watchers_.remove_if([&](const auto& watcher) { return watcher.lock() == client; });
  });
}

void Server::send_events(const ClientPointer& client) {
  if (client->sending_events || client->events.empty()) return;
  client->sending_events = true;
  auto packets = outgoing(text_answer(client->events.front()));
  client->events.pop_front();
  client->connection->send(std::move(packets), kDeadline, [this, client](bool sent) {
    client->sending_events = false;
    if (sent) return send_events(client);
    client->connection->close();
  });
}

void Server::broadcast(const std::string& event, std::optional<uid_t> owner) {
  const auto watchers = watchers_;  // sending may end a watcher
  for (const auto& watcher : watchers) {
    const ClientPointer client = watcher.lock();
    if (!client) continue;
    if (owner && *owner != client->peer.uid && !is_administrator(client->peer.uid)) continue;
    // A watcher that does not read is let go: events are not kept for it without end.
    if (client->events.size() >= kMostEvents) {
      client->connection->close();
      continue;
    }
    client->events.push_back(event);
    send_events(client);
  }
}

bool Server::watched() const {
  return !watchers_.empty();
}

}  // namespace px::broker
