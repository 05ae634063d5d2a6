// SPDX-License-Identifier: MIT
#include "broker/descriptors/descriptors.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "util/socket_option.h"

namespace px::broker {
namespace {

// Connections that are handed over together, since each time a process has to be woken; and how
// long one waits for others.
constexpr std::size_t kTogether = 32;
constexpr std::chrono::milliseconds kFor{4};

// Of a socket that nobody can send to any more. Asked for credentials, the kernel says of every
// message, and of nothing else, that there was no room for them.
bool has_unread(int socket) {
  if (!set_socket_option(socket, SOL_SOCKET, SO_PASSCRED, 1)) return true;
  msghdr message{};
  ssize_t length = recvmsg(socket, &message, MSG_PEEK | MSG_DONTWAIT);
  // Told once, of a peer that has not read everything.
  if (length < 0 && errno == ECONNRESET) {
    length = recvmsg(socket, &message, MSG_PEEK | MSG_DONTWAIT);
  }
  return length != 0 || (message.msg_flags & MSG_CTRUNC) != 0;
}

}  // namespace

Descriptors::Descriptors(asio::io_context& context, Options options)
    : context_(context),
      options_(options),
      closer_(std::make_shared<Lane>(context, static_cast<LaneOwner&>(*this), options.deadlines)),
      timer_(context),
      together_(context),
      self_(std::make_shared<Descriptors*>(this)) {}

// The end of this process ends them.
Descriptors::~Descriptors() {
  for (Fd& connection : clean_) (void)connection.release();
}

std::shared_ptr<Lane> Descriptors::lane_of(uid_t user) {
  auto& lane = lanes_[user];
  if (!lane) {
    lane = std::make_shared<Lane>(context_, static_cast<LaneOwner&>(*this), options_.deadlines);
  }
  return lane;
}

PassedDescriptor Descriptors::brought(uid_t user, std::shared_ptr<ipc::PacketSocket> connection) {
  look_for_idle();
  return {lane_of(user), std::move(connection), ++numbers_};
}

void Descriptors::end(Fd connection) {
  look_for_idle();
  shutdown(connection.get(), SHUT_RDWR);
  const auto peer = socket_option<ucred>(connection.get(), SOL_SOCKET, SO_PEERCRED);
  const bool clean = !peer || !has_unread(connection.get());
  if (!clean) return lane_of(peer->uid)->drop(std::move(connection));
  clean_.push_back(std::move(connection));
  if (clean_.size() >= kTogether) return drop_clean();
  if (clean_.size() == 1) together_.after(kFor, [this] { drop_clean(); });
}

void Descriptors::drop_clean() {
  if (!clean_.empty()) closer_->drop(std::exchange(clean_, {}));
}

std::function<void(Fd)> Descriptors::ender() {
  return [self = std::weak_ptr(self_)](Fd connection) {
    if (const auto descriptors = self.lock()) return (*descriptors)->end(std::move(connection));
    (void)connection.release();
  };
}

// Else the one that has rested for longest has to give way.
bool Descriptors::may_start(Lane& lane) {
  if (running_.size() < options_.most_processes) return true;
  waiting_.insert(lane.shared_from_this());
  Lane* longest = nullptr;
  for (Lane* each : running_) {
    if (each == closer_.get() || !each->rests()) continue;
    if (longest == nullptr || each->last_used() < longest->last_used()) longest = each;
  }
  if (longest == nullptr) {
    one_is_to_rest_ = true;
  } else {
    longest->stop();
  }
  return false;
}

void Descriptors::ended(Lane& lane) {
  running_.erase(&lane);
  const auto waiting = std::exchange(waiting_, {});
  for (const auto& each : waiting) each->proceed();
}

void Descriptors::rests(Lane& lane) {
  if (&lane != closer_.get() && std::exchange(one_is_to_rest_, false)) lane.stop();
}

void Descriptors::retire(Fd socket) {
  closer_->drop(std::move(socket));
}

void Descriptors::look_for_idle() {
  if (std::exchange(looking_, true)) return;
  timer_.after(options_.idle, [this] {
    looking_ = false;
    const auto before = Lane::Clock::now() - options_.idle;
    for (Lane* lane : std::set<Lane*>(running_)) {
      if (lane != closer_.get() && lane->last_used() < before) lane->stop();
    }
    std::erase_if(lanes_, [](const auto& lane) {
      return lane.second->is_empty() && lane.second.use_count() == 1;
    });
    if (!lanes_.empty()) look_for_idle();
  });
}

}  // namespace px::broker
