// SPDX-License-Identifier: MIT
#include "broker/sessions/server.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <asio/post.hpp>
#include <chrono>
#include <deque>
#include <set>
#include <utility>

#include "broker/identity/administrator.h"
#include "ipc/listener.h"
#include "util/timer.h"

namespace px::broker {
namespace {

using namespace std::chrono_literals;

constexpr auto kDeadline = 5s;
constexpr std::size_t kMostEvents = 1000;  // that a watcher may be behind
// Connections accepted before other events get their turn. They come in the order of the kernel's
// queue, whosever they are: so as many as go in some milliseconds, and what takes longer is done
// in users' turns.
constexpr int kAcceptedAtATime = 1024;
constexpr auto kPause = 1ms;  // while too many connections are due to be closed

// The descriptors go with the first packet.
std::deque<PacketSocket::Outgoing> outgoing(Answer answer) {
  std::deque<PacketSocket::Outgoing> packets;
  for (Answer::Packet& packet : answer.packets) packets.emplace_back().packet = std::move(packet);
  packets.front().descriptors = std::move(answer.descriptors);
  packets.front().owned = std::move(answer.owned);
  return packets;
}

// Extra paths are worked out from all of the host's routes.
Turns::Kind kind_of(const Answer::Packet& packet) {
  const auto header = plan::parse_header(packet);
  const bool dear = header && (header->type == plan::MessageType::kRequest ||
                               header->type == plan::MessageType::kExtraPaths);
  return dear ? Turns::Kind::kRequest : Turns::Kind::kProgram;
}

std::set<uid_t> administrators_and(uid_t owner) {
  auto users = administrators();
  users.insert(owner);
  return users;
}

// Programs ask again soon: many may start at once.
void turn_away(int socket) {
  const Answer answer =
      refusal({plan::RefusalCode::kBusy, "too many connections to the broker at a time"});
  const Answer::Packet& packet = answer.packets.front();
  ::send(socket, packet.data(), packet.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

}  // namespace

// A connection, whose it is, and the place that it takes while it exists.
struct Server::Client {
  Client(Fd socket, uid_t counted_as) : arrived(std::move(socket)), user(counted_as) {}
  // Not closed here: the end of this process ends it.
  ~Client() { (void)arrived.release(); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  Fd arrived;                                // until it is admitted; descriptors_ ends it
  std::shared_ptr<PacketSocket> connection;  // from then on
  Peer peer;
  uid_t user;  // whose turns it takes
  std::unique_ptr<Places::Place> place;
  std::deque<std::string> events;  // of a watcher, not sent yet
  bool sending_events = false;
  std::shared_ptr<const void> held;
};

struct Server::Listener {
  Listener(asio::io_context& context, Fd listening, Admits who)
      : socket(context, listening.release()), pause(context), admits(std::move(who)) {}

  asio::posix::stream_descriptor socket;
  Timer pause;
  Admits admits;
};

Server::~Server() = default;

Server::Server(asio::io_context& context, Limits limits, const Dispatcher& dispatcher,
               Descriptors& descriptors, CountedAs counted_as)
    : context_(context),
      dispatcher_(dispatcher),
      descriptors_(descriptors),
      counted_as_(std::move(counted_as)),
      places_(limits),
      next_request_(context),
      spare_(open("/dev/null", O_RDONLY | O_CLOEXEC)) {}

Expected<void> Server::listen(const std::filesystem::path& path) {
  PX_ASSIGN_OR_RETURN(Fd socket, ipc::listen_at(path, "broker"));
  listen(std::move(socket));
  return {};
}

void Server::listen(Fd listener) {
  listen_beside(std::move(listener), [](const Peer&) { return true; });
}

void Server::listen_beside(Fd listener, Admits admits) {
  listeners_.push_back(
      std::make_unique<Listener>(context_, std::move(listener), std::move(admits)));
  accept_soon(*listeners_.back());
}

void Server::accept_soon(Listener& listener) {
  // The others wait in the kernel's queue, without a descriptor of the broker's.
  if (descriptors_.is_behind()) {
    return listener.pause.after(kPause, [this, &listener] { accept_soon(listener); });
  }
  listener.socket.async_wait(
      asio::posix::stream_descriptor::wait_read, [this, &listener](const std::error_code& error) {
        if (error) return;
        // Also where one throws.
        const auto again = [this](Listener* from) { accept_soon(*from); };
        const std::unique_ptr<Listener, decltype(again)> go_on(&listener, again);
        accept_some(listener);
        // All who came are in the turns: there is nobody to go round for first.
        if (!taking_turns_ && turns_.has_programs()) take_slice();
      });
}

void Server::accept_some(Listener& listener) {
  const int from = listener.socket.native_handle();
  for (int i = 0; i < kAcceptedAtATime && !descriptors_.is_behind(); ++i) {
    Fd socket(accept4(from, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket && (errno == EMFILE || errno == ENFILE)) {
      spare_.reset();
      Fd turned_away(accept4(from, nullptr, nullptr, SOCK_CLOEXEC));
      if (turned_away) {
        turn_away(turned_away.get());
        descriptors_.end(std::move(turned_away));
      }
      spare_.reset(open("/dev/null", O_RDONLY | O_CLOEXEC));
      continue;
    }
    if (!socket) return;
    take_in(listener, std::move(socket));
  }
}

// What tells whose it is, and whether there is a place: no more, since others wait behind it.
void Server::take_in(const Listener& listener, Fd socket) {
  const auto user_id = ipc::user_of_peer(socket.get());
  if (!user_id) return descriptors_.end(std::move(socket));
  const uid_t user = counted_as_(*user_id);
  const auto client = std::make_shared<Client>(std::move(socket), user);
  client->place =
      places_.take(user, is_administrator(*user_id), [this, weak = std::weak_ptr(client)] {
        const auto silent = weak.lock();
        if (!silent) return;
        if (silent->arrived) descriptors_.end(std::move(silent->arrived));
        if (silent->connection) silent->connection->close();
      });
  if (!client->place) {
    turn_away(client->arrived.get());
    return descriptors_.end(std::move(client->arrived));
  }
  turns_.add(Turns::Kind::kProgram, user, [this, &listener, client] { admit(listener, client); });
}

void Server::admit(const Listener& listener, const ClientPointer& client) {
  if (!client->arrived) return;  // its place was taken away
  errno = 0;
  auto peer = ipc::peer_of(client->arrived.get());
  if (!peer && (errno == EMFILE || errno == ENFILE)) turn_away(client->arrived.get());
  if (!peer || !listener.admits(*peer)) return descriptors_.end(std::move(client->arrived));
  client->peer = std::move(*peer);
  client->connection = std::make_shared<PacketSocket>(context_, std::move(client->arrived),
                                                      plan::kLargestMessage, descriptors_.ender());
  serve(client);
}

// From here on the operation that waits for a client keeps it alive. A client for which none is
// started is let go.
void Server::serve(const ClientPointer& client) {
  client->connection->receive(kDeadline,
                              [this, client](std::optional<PacketSocket::Incoming> incoming) {
                                if (incoming) queue(client, std::move(*incoming));
                              });
}

// While it waits for its turn it counts for its user.
void Server::queue(const ClientPointer& client, PacketSocket::Incoming incoming) {
  client->place->spoke();
  incoming.packet.shrink_to_fit();
  const std::size_t size = incoming.packet.size();
  if (!client->place->keep(size)) return;
  const Turns::Kind kind = kind_of(incoming.packet);
  // A function can be copied, and a descriptor cannot.
  const auto message = std::make_shared<PacketSocket::Incoming>(std::move(incoming));
  turns_.add(kind, client->user, [this, client, message, size] {
    client->place->let_go(size);
    answer(client, *message);
  });
  take_turns();
}

// A slice, and then whatever else has happened meanwhile: among it the messages of those who have
// just come.
void Server::take_turns() {
  const auto due = turns_.due();
  if (taking_turns_ || !due) return;
  if (*due > std::chrono::steady_clock::now()) {
    next_request_.expires_at(*due);
    return next_request_.async_wait([this](const std::error_code& error) {
      if (!error) take_turns();
    });
  }
  taking_turns_ = true;
  asio::post(context_, [this] { take_slice(); });
}

void Server::take_slice() {
  taking_turns_ = true;
  // Also where an answer throws.
  const auto go_on = std::unique_ptr<Server, void (*)(Server*)>(this, [](Server* server) {
    server->taking_turns_ = false;
    server->take_turns();
  });
  turns_.run_slice();
}

void Server::answer(const ClientPointer& client, const PacketSocket::Incoming& incoming) {
  const Reply reply = [this, client](Answer answer) { send(client, std::move(answer)); };
  if (incoming.with_descriptors) {
    return dispatcher_.dispatch(client->peer, incoming.packet,
                                descriptors_.brought(client->peer.uid, client->connection), reply);
  }
  Answer answer = dispatcher_.dispatch(client->peer, incoming.packet);
  answer.later ? answer.later(reply) : reply(std::move(answer));
}

void Server::send(const ClientPointer& client, Answer answer) {
  if (answer.packets.empty()) return;
  const auto then = answer.then;
  client->held = std::move(answer.held);
  std::size_t size = 0;
  for (const Answer::Packet& packet : answer.packets) size += packet.size();
  if (!client->place->keep(size)) return;
  client->connection->send(outgoing(std::move(answer)), kDeadline,
                           [this, client, then, size](bool sent) {
                             client->place->let_go(size);
                             if (!sent || then == Answer::Then::kClose) return;
                             if (then == Answer::Then::kWatch) return watch(client);
                             if (then == Answer::Then::kHold) return hold(client);
                             serve(client);
                           });
}

void Server::watch(const ClientPointer& client) {
  const uid_t user = client->peer.uid;
  if (!may_watch(user)) return client->connection->close();
  watchers_[user].push_back(client);
  client->connection->wait_readable([this, client, user] {
    client->connection->close();
    const auto of_user = watchers_.find(user);
    of_user->second.remove_if([&](const auto& watcher) { return watcher.lock() == client; });
    if (of_user->second.empty()) watchers_.erase(of_user);
  });
}

void Server::hold(const ClientPointer& client) {
  client->connection->wait_readable([client] { client->connection->close(); });
}

void Server::send_events(const ClientPointer& client) {
  if (client->sending_events || client->events.empty()) return;
  client->sending_events = true;
  const std::size_t size = client->events.front().size();
  auto packets = outgoing(text_answer(client->events.front()));
  client->events.pop_front();
  client->connection->send(std::move(packets), kDeadline, [this, client, size](bool sent) {
    client->place->let_go(size);
    client->sending_events = false;
    if (sent) return send_events(client);
    client->connection->close();
  });
}

void Server::broadcast(const std::string& event, std::optional<uid_t> owner) {
  if (!owner) {
    for (const auto& [user, watchers] : watchers_) tell(watchers, event);
    return;
  }
  for (const uid_t user : administrators_and(*owner)) {
    const auto found = watchers_.find(user);
    if (found != watchers_.end()) tell(found->second, event);
  }
}

void Server::tell(const Watchers& watchers, const std::string& event) {
  for (const auto& watcher : watchers) {
    const ClientPointer client = watcher.lock();
    if (!client) continue;
    // A watcher that does not read is let go: events are not kept for it without end.
    if (client->events.size() >= kMostEvents || !client->place->keep(event.size())) {
      client->connection->close();
      continue;
    }
    client->events.push_back(event);
    send_events(client);
  }
}

bool Server::may_watch(uid_t user) const {
  const auto found = watchers_.find(user);
  return is_administrator(user) || found == watchers_.end() || found->second.size() < kMostWatchers;
}

bool Server::watched(uid_t owner) const {
  return std::ranges::any_of(administrators_and(owner),
                             [&](uid_t user) { return watchers_.contains(user); });
}

}  // namespace px::broker
