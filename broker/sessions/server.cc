// SPDX-License-Identifier: MIT
#include "broker/sessions/server.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <chrono>
#include <cstring>
#include <deque>

#include "ipc/listener.h"

namespace px::broker {
namespace {

using namespace std::chrono_literals;

constexpr auto kDeadline = 5s;
constexpr std::size_t kMostEvents = 1000;  // that a watcher may be behind
// Accepted at a time before others get their turn, so that a flood of connections does not keep
// those waiting who have one.
constexpr int kAcceptedAtATime = 16;

template <typename Message>
PacketSocket::Packet packet_of(const Message& message) {
  const auto bytes = std::as_bytes(std::span(&message, 1));
  return {bytes.begin(), bytes.end()};
}

std::deque<PacketSocket::Outgoing> one(PacketSocket::Packet packet) {
  std::deque<PacketSocket::Outgoing> packets(1);
  packets.front().packet = std::move(packet);
  return packets;
}

// A text as replies: all but the last say that more follows.
std::deque<PacketSocket::Outgoing> replies_of(std::string_view text) {
  constexpr std::size_t kText = plan::kLargestMessage - sizeof(plan::MessageHeader);
  std::deque<PacketSocket::Outgoing> replies;
  do {
    const std::string_view part = text.substr(0, kText);
    text.remove_prefix(part.size());
    PacketSocket::Packet packet(sizeof(plan::MessageHeader) + part.size());
    const auto header = plan::header_of(plan::MessageType::kReply, packet.size(),
                                        text.empty() ? 0 : plan::kMoreFollows);
    std::memcpy(packet.data(), &header, sizeof header);
    std::memcpy(packet.data() + sizeof header, part.data(), part.size());
    replies.emplace_back().packet = std::move(packet);
  } while (!text.empty());
  return replies;
}

plan::Refusal refusal_of(const Rejection& rejection) {
  auto refusal = plan::make<plan::Refusal>();
  refusal.code = rejection.code;
  plan::fill_text(refusal.reason, rejection.reason);
  return refusal;
}

// Hello and Launch end a connection's use of its pidfd; another message needs its own.
Peer share(const Peer& peer) {
  return {peer.pid, peer.uid, Fd(fcntl(peer.process.get(), F_DUPFD_CLOEXEC, 0))};
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
  std::deque<std::string> events;  // of one who watches, not sent yet
  bool sending_events = false;
};

Server::Server(asio::io_context& context, Limits limits, Service service)
    : context_(context),
      limits_(limits),
      service_(std::move(service)),
      listener_(context),
      spare_(open("/dev/null", O_RDONLY | O_CLOEXEC)) {}

bool Server::privileged(uid_t uid) {
  return uid == 0 || uid == geteuid();
}

Expected<void> Server::listen(const std::filesystem::path& path) {
  auto socket = ipc::listen_at(path, "broker");
  if (!socket) return tl::make_unexpected(socket.error());
  listen(std::move(*socket));
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
      Fd(accept4(listener_.native_handle(), nullptr, nullptr, SOCK_CLOEXEC));
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
  const bool full = counts_->in_all >= limits_.in_all && !privileged(peer->uid);
  if (full || (of_user != counts_->per_user.end() && of_user->second >= limits_.per_user)) {
    const auto refusal =
        refusal_of({plan::RefusalCode::kQuota, "too many connections to the broker at a time"});
    send(socket.get(), &refusal, sizeof refusal, MSG_NOSIGNAL | MSG_DONTWAIT);
    return;
  }
  serve(std::make_shared<Client>(context_, counts_, std::move(socket), std::move(*peer)));
}

// Everything below keeps the client alive by the operation that waits for it, and lets it go by
// starting none.
void Server::serve(const ClientPointer& client) {
  client->connection->receive(kDeadline,
                              [this, client](std::optional<PacketSocket::Incoming> incoming) {
                                if (incoming) answer(client, std::move(*incoming));
                              });
}

void Server::answer(const ClientPointer& client, PacketSocket::Incoming incoming) {
  const std::span<const std::byte> packet = incoming.packet;
  if (const auto mark = plan::parse<plan::Mark>(packet); mark && incoming.descriptor) {
    return answer_mark(client, *mark, incoming.descriptor);
  }
  if (const auto paths = plan::parse<plan::ExtraPaths>(packet); paths && incoming.descriptor) {
    return answer_paths(client, *paths, incoming.descriptor);
  }
  if (const auto hello = plan::parse<plan::Hello>(packet)) {
    return answer_hello(client, *hello, incoming.descriptor);
  }
  if (incoming.descriptor) return;  // no other message brings one
  if (const auto launch = plan::parse<plan::Launch>(packet)) return answer_launch(client, *launch);
  if (const auto outcome = plan::parse<plan::HealthReport>(packet)) {
    return service_.outcome(client->peer, *outcome);  // and no more of this client
  }
  const auto header = plan::parse_header(packet);
  const auto text = plan::parse_text(packet);
  if (text && header->type == plan::MessageType::kRequest) answer_request(client, *text);
}

void Server::answer_hello(const ClientPointer& client, const plan::Hello& hello,
                          const Fd& executable) {
  auto admission = service_.hello(share(client->peer), hello, executable.get());
  if (!admission) return refuse(client, admission.error());
  auto welcome = plan::make<plan::Welcome>();
  welcome.broker_instance = service_.instance;
  welcome.recheck = static_cast<std::uint32_t>(admission->recheck);
  plan::fill_text(welcome.profile, admission->profile);
  auto packets = one(packet_of(welcome));
  if (!admission->profile.empty()) {
    packets.front().descriptors = {admission->plan_fd, admission->counters.get()};
    packets.front().owned.push_back(std::move(admission->counters));
  }
  client->connection->send(std::move(packets), kDeadline, [this, client](bool sent) {
    if (sent) serve(client);
  });
}

void Server::answer_launch(const ClientPointer& client, const plan::Launch& launch) {
  acknowledge(client, service_.launch(share(client->peer), launch), plan::MessageType::kLaunched);
}

void Server::answer_mark(const ClientPointer& client, const plan::Mark& mark, const Fd& socket) {
  acknowledge(client, service_.mark(client->peer, mark, socket), plan::MessageType::kMarked);
}

void Server::answer_paths(const ClientPointer& client, const plan::ExtraPaths& paths,
                          const Fd& socket) {
  acknowledge(client, service_.paths(client->peer, paths, socket),
              plan::MessageType::kExtraPathsTaken);
}

void Server::acknowledge(const ClientPointer& client, const tl::expected<void, Rejection>& done,
                         plan::MessageType type) {
  if (!done) return refuse(client, done.error());
  const auto header = plan::header_of(type, sizeof(plan::MessageHeader));
  client->connection->send(one(packet_of(header)), kDeadline, [this, client](bool sent) {
    if (sent) serve(client);
  });
}

void Server::answer_request(const ClientPointer& client, std::string_view text) {
  const Answer answer = service_.request(client->peer, text);
  const bool watching = answer.watch;
  client->connection->send(replies_of(answer.text), kDeadline, [this, client, watching](bool sent) {
    if (!sent) return;
    if (watching) return watch(client);
    serve(client);
  });
}

void Server::refuse(const ClientPointer& client, const Rejection& rejection) {
  client->connection->send(one(packet_of(refusal_of(rejection))), kDeadline, [client](bool) {});
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
  auto packets = replies_of(client->events.front());
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
    if (owner && *owner != client->peer.uid && !privileged(client->peer.uid)) continue;
    // One who does not read is let go rather than waited or remembered for.
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
