// SPDX-License-Identifier: MIT
// The broker's socket: accepts connections within each user's quota, and answers every message or
// closes. What it answers with comes from the Service. Owned by the daemon, single-threaded.
#pragma once

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "ipc/packet_socket.h"
#include "ipc/peer.h"
#include "plan/bundle_wire.h"
#include "plan/wire.h"
#include "util/error.h"
#include "util/fd.h"

namespace px::broker {

using ipc::PacketSocket;
using ipc::Peer;

// What a program is given at its hello; an empty profile, and nothing else, where it has none.
struct Admission {
  int plan_fd = -1;  // stays the broker's
  Fd counters;
  std::string profile;
  std::uint64_t recheck = 0;  // of the plan's plan::FileHeader
};

struct Rejection {
  plan::RefusalCode code;
  std::string reason;
};

// One JSON text back to pxctl, and whether events follow.
struct Answer {
  std::string text;
  bool watch = false;
};

struct Service {
  std::uint64_t instance = 0;
  // With the program's executable, as it says; -1 for none.
  std::function<tl::expected<Admission, Rejection>(Peer, const plan::Hello&, int executable)> hello;
  std::function<tl::expected<void, Rejection>(Peer, const plan::Launch&)> launch;
  std::function<tl::expected<void, Rejection>(const Peer&, const plan::Mark&, const Fd&)> mark;
  std::function<void(const Peer&, const plan::HealthReport&)> outcome;
  std::function<tl::expected<void, Rejection>(const Peer&, const plan::ExtraPaths&, const Fd&)>
      paths;
  std::function<Answer(const Peer&, std::string_view)> request;
};

class Server {
 public:
  struct Limits {
    std::size_t per_user;
    std::size_t in_all;
  };

  Server(asio::io_context& context, Limits limits, Service service);

  // Listens at the path (mode 0666: who may do what is decided by credentials), in place of a dead
  // broker's socket. An error where another broker answers there.
  [[nodiscard]] Expected<void> listen(const std::filesystem::path& path);
  // The same on a socket that listens already.
  void listen(Fd listener);

  // Sends an event to everyone who watches and may see it: root, the broker's user, and the
  // owner of the program concerned, if one is.
  void broadcast(const std::string& event, std::optional<uid_t> owner);

  [[nodiscard]] std::uint64_t instance() const { return service_.instance; }
  [[nodiscard]] bool watched() const;
  [[nodiscard]] std::size_t connections() const { return counts_->in_all; }
  [[nodiscard]] const Limits& limits() const { return limits_; }
  // Whether the user may see and do everything.
  [[nodiscard]] static bool privileged(uid_t uid);

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
  void answer(const ClientPointer& client, PacketSocket::Incoming incoming);
  void answer_hello(const ClientPointer& client, const plan::Hello& hello, const Fd& executable);
  void answer_launch(const ClientPointer& client, const plan::Launch& launch);
  void answer_mark(const ClientPointer& client, const plan::Mark& mark, const Fd& socket);
  void answer_paths(const ClientPointer& client, const plan::ExtraPaths& paths, const Fd& socket);
  // A header of this type alone, or a refusal.
  void acknowledge(const ClientPointer& client, const tl::expected<void, Rejection>& done,
                   plan::MessageType type);
  void answer_request(const ClientPointer& client, std::string_view text);
  void refuse(const ClientPointer& client, const Rejection& rejection);
  void watch(const ClientPointer& client);
  void send_events(const ClientPointer& client);

  asio::io_context& context_;
  Limits limits_;
  Service service_;
  asio::posix::stream_descriptor listener_;
  Fd spare_;  // given up for a moment to turn a connection away when descriptors run out
  std::shared_ptr<Counts> counts_ = std::make_shared<Counts>();
  std::list<std::weak_ptr<Client>> watchers_;
};

}  // namespace px::broker
