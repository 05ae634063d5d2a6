// SPDX-License-Identifier: MIT
#include "cli/client.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <thread>

#include "cli/locations.h"
#include "util/socket_option.h"

namespace px::cli {
namespace {

using Clock = std::chrono::steady_clock;
using nlohmann::json;

// A broker that does not accept within this time will not.
constexpr timeval kConnectTimeout{2, 0};

// poll's timeout: -1 for no deadline.
int remaining_ms(const std::optional<Clock::time_point>& deadline) {
  if (!deadline) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - Clock::now());
  return static_cast<int>(std::max<std::chrono::milliseconds::rep>(left.count(), 0));
}

std::optional<Clock::time_point> deadline_in(std::optional<Client::Duration> patience) {
  if (!patience) return std::nullopt;
  return Clock::now() + *patience;
}

}  // namespace

SocketSearch socket_search(const std::string& option) {
  if (!option.empty()) return {{absolute_path(option)}, true, true};
  const std::string variable = environment(plan::kSocketVariable);
  if (!variable.empty()) return {{absolute_path(variable)}, true, false};
  SocketSearch search{{plan::kSystemSocket}, false, false};
  const std::string runtime = environment("XDG_RUNTIME_DIR");
  if (runtime.starts_with('/'))
    search.paths.push_back(runtime + "/" + plan::kUserSocketBelowRuntimeDir);
  return search;
}

Client::Client(Fd socket, std::string path)
    : socket_(std::move(socket)),
      path_(std::move(path)),
      buffer_(std::make_unique_for_overwrite<std::byte[]>(plan::kLargestMessage)) {}

Expected<Client> Client::connect(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return fail(path + ": too long for a socket's name");
  std::memcpy(address.sun_path, path.data(), path.size());
  Fd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (!socket) return fail_errno("cannot make a socket");
  // Bounds connect() too, which waits where the broker's backlog is full.
  if (setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &kConnectTimeout, sizeof kConnectTimeout) !=
      0)
    return fail_errno("cannot set a socket's timeout");
  int result = 0;
  do {
    result = ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  } while (result != 0 && errno == EINTR);
  if (result != 0) return fail_errno(path);
  return Client(std::move(socket), path);
}

Expected<Client> Client::connect_first(const SocketSearch& search) {
  std::string tried;
  for (const std::string& path : search.paths) {
    auto client = connect(path);
    if (client) return client;
    tried += (tried.empty() ? "" : "; ") + client.error().message;
  }
  return fail("no broker answers (" + tried + ")");
}

std::uint64_t Client::network_namespace() const {
  return socket_option<std::uint64_t>(socket_.get(), SOL_SOCKET, SO_NETNS_COOKIE).value_or(0);
}

Expected<void> Client::send_packet(const void* data, std::size_t size) {
  ssize_t sent = 0;
  do {
    sent = send(socket_.get(), data, size, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  // A broker that closed may have said why before: receiving tells.
  if (sent < 0 && errno != EPIPE) return fail_errno("the broker at " + path_ + " does not listen");
  return {};
}

Expected<std::size_t> Client::receive_packet(const Deadline& deadline) {
  while (true) {
    pollfd readable{socket_.get(), POLLIN, 0};
    const int ready = poll(&readable, 1, remaining_ms(deadline));
    if (ready == 0) return fail("the broker at " + path_ + " does not answer");
    if (ready < 0 && errno != EINTR) return fail_errno("poll");
    if (ready < 0) continue;
    const ssize_t size =
        recv(socket_.get(), buffer_.get(), plan::kLargestMessage, MSG_DONTWAIT | MSG_TRUNC);
    // ECONNRESET comes once, ahead of packets that the broker sent before it closed (unix(7)).
    if (size < 0 && (errno == EINTR || errno == EAGAIN || errno == ECONNRESET)) continue;
    if (size < 0) return fail_errno("the broker at " + path_);
    if (size == 0) return fail("the broker at " + path_ + " closed the connection");
    if (static_cast<std::size_t>(size) > plan::kLargestMessage)
      return fail("the broker at " + path_ + " sent a packet that is too long");
    return static_cast<std::size_t>(size);
  }
}

Expected<json> Client::ask(const json& request, std::optional<Duration> patience) {
  const std::string text = request.dump(-1, ' ', false, json::error_handler_t::replace);
  const std::size_t size = sizeof(plan::MessageHeader) + text.size();
  if (size > plan::kLargestMessage) return fail("the request is too long");
  const auto header = plan::header_of(plan::MessageType::kRequest, size);
  std::vector<char> packet(size);
  std::memcpy(packet.data(), &header, sizeof header);
  std::memcpy(packet.data() + sizeof header, text.data(), text.size());
  PX_TRY(send_packet(packet.data(), packet.size()));
  return next_reply(patience);
}

Expected<json> Client::next_reply(std::optional<Duration> patience) {
  const Deadline deadline = deadline_in(patience);
  std::string text;
  while (true) {
    PX_ASSIGN_OR_RETURN(const std::size_t size, receive_packet(deadline));
    const std::span<const std::byte> packet(buffer_.get(), size);
    if (const auto refusal = plan::parse<plan::Refusal>(packet))
      return fail("the broker at " + path_ + " refuses: " + refusal->reason);
    const auto header = plan::parse_header(packet);
    const auto part = plan::parse_text(packet);
    if (!header || !part || header->type != plan::MessageType::kReply)
      return fail("what answers at " + path_ + " is no px broker of this version");
    text += *part;
    if ((header->flags & plan::kMoreFollows) == 0) break;
  }
  json reply = json::parse(text, nullptr, false);
  if (!reply.is_object()) return fail("the broker at " + path_ + " sent a reply that is no JSON");
  return reply;
}

Expected<std::optional<plan::Refusal>> Client::launch(const std::string& profile,
                                                      const std::string& why_uncovered) {
  const auto deadline = Clock::now() + kPatience;
  Duration pause{16};
  while (true) {
    PX_ASSIGN_OR_RETURN(const auto refusal, launch_once(profile, why_uncovered, deadline));
    const bool busy = refusal && refusal->code == plan::RefusalCode::kBusy;
    if (!busy || Clock::now() + pause >= deadline) return refusal;
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, Duration(128));
    PX_ASSIGN_OR_RETURN(*this, connect(path_));
  }
}

Expected<std::optional<plan::Refusal>> Client::launch_once(const std::string& profile,
                                                           const std::string& why_uncovered,
                                                           const Deadline& deadline) {
  auto launch = plan::make<plan::Launch>();
  launch.coverage = why_uncovered.empty() ? plan::Coverage::kCovered : plan::Coverage::kUncovered;
  launch.network_namespace = network_namespace();
  plan::fill_text(launch.profile, profile);
  plan::fill_text(launch.why_uncovered, why_uncovered);
  PX_TRY(send_packet(&launch, sizeof launch));
  PX_ASSIGN_OR_RETURN(const std::size_t size, receive_packet(deadline));
  const std::span<const std::byte> packet(buffer_.get(), size);
  if (const auto refusal = plan::parse<plan::Refusal>(packet)) return refusal;
  const auto header = plan::parse_header(packet);
  if (!header || header->type != plan::MessageType::kLaunched)
    return fail("what answers at " + path_ + " is no px broker of this version");
  return std::nullopt;
}

}  // namespace px::cli
