// SPDX-License-Identifier: MIT
#include "preload/datagrams/redirecting.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "preload/sockets/kernel_socket.h"

namespace px::shim {
namespace {

constexpr std::uint32_t kForEver = 0;  // in the place of a time: nothing expires

// Of one question where its number is known, else of all that the socket sends to the server. The
// server's scope says nothing that its address does not.
bundle::Endpoint key_of(const bundle::Endpoint& server, QuestionNumber number) {
  bundle::Endpoint key = server;
  key.scope = number ? 0x10000u | *number : 0;
  return key;
}

}  // namespace

QuestionNumber question_number(std::span<const iovec> parts, std::size_t size) {
  unsigned number = 0;
  unsigned bytes = 0;
  for (const iovec& part : parts) {
    const auto* data = static_cast<const std::uint8_t*>(part.iov_base);
    for (std::size_t i = 0; i < std::min(part.iov_len, size); ++i) {
      number = number << 8 | data[i];
      if (++bytes == 2) return static_cast<std::uint16_t>(number);
    }
    size -= std::min(part.iov_len, size);
  }
  return std::nullopt;
}

plan::Redirection Redirecting::redirect(const FdState& state, const bundle::Address* source,
                                        const bundle::Endpoint& destination, bool ipv4_only) {
  return decider_.redirect({.destination = destination.address,
                            .port = destination.port,
                            .transport = state.transport,
                            .source_fixed = is_source_fixed(state),
                            .source = source},
                           ipv4_only);
}

void Redirecting::note(int fd, const bundle::Endpoint& server, const bundle::Endpoint& asked,
                       QuestionNumber number) {
  FdNotes notes = fds_.notes(fd);
  if (notes.generation == 0) {
    notes.generation = fds_.new_generation();
    fds_.set_notes(fd, notes);
  }
  const PacketInfo info{.address = asked.address, .interface = asked.scope};
  asked_.remember(notes.generation, key_of(server, std::nullopt), info, kForEver);
  if (number) asked_.remember(notes.generation, key_of(server, number), info, kForEver);
  used_.store(true, std::memory_order_relaxed);
}

std::optional<Redirecting::Target> Redirecting::connect_to(int fd, const CallAddress& destination) {
  if (!destination.endpoint) return std::nullopt;
  const bundle::Endpoint& named = *destination.endpoint;
  const KeepErrno keep;
  plan::Redirection redirection;
  if (may_concern(named)) {
    const FdState state = state_of(system_, fds_, plan_, fd);
    if (state.kind == FdKind::kUnknown)
      return Target{.error = ENETUNREACH, .address{}, .length = 0};
    if (is_left_alone(state)) return std::nullopt;
    const auto own = is_sourced(state) ? own_endpoint(system_, fd) : std::nullopt;
    if (is_sourced(state) && !own) return Target{.error = ENETUNREACH, .address{}, .length = 0};
    redirection =
        redirect(state, own ? &own->address : nullptr, named, destination.family == AF_INET);
  }
  if (!redirection.applies) {
    // The program has called the server by its own address now.
    if (concerns(fd)) note(fd, named, named, std::nullopt);
    return std::nullopt;
  }
  Target target{.error = ENETUNREACH, .address{}, .length = 0};
  if (!redirection.server) return target;
  target.error = 0;
  target.length =
      bundle::sockaddr_from_endpoint(*redirection.server, destination.family, &target.address);
  note(fd, *redirection.server, named, std::nullopt);
  return target;
}

bool Redirecting::takes_fast_open(int fd, const CallAddress& destination) {
  if (!destination.endpoint || !may_concern(*destination.endpoint)) return false;
  const KeepErrno keep;
  const FdState state = state_of(system_, fds_, plan_, fd);
  if (is_left_alone(state) || state.transport != plan::Transport::kTcp) return false;
  return redirect(state, nullptr, *destination.endpoint, false).applies;
}

std::optional<PacketInfo> Redirecting::found(std::uint32_t socket, const bundle::Endpoint& server,
                                             QuestionNumber number) const {
  if (number) {
    if (const auto exact = asked_.find(socket, key_of(server, number), kForEver)) return exact;
  }
  return asked_.find(socket, key_of(server, std::nullopt), kForEver);
}

void Redirecting::correct(int fd, sockaddr* address, socklen_t room, socklen_t* length,
                          QuestionNumber number) const {
  const auto server = bundle::endpoint_from_sockaddr(address, std::min(room, *length));
  if (!server) return;
  const auto asked = found(fds_.notes(fd).generation, *server, number);
  if (!asked || asked->address == server->address) return;
  const bundle::Endpoint given{
      .address = asked->address, .port = PX_NAME_SERVER_PORT, .scope = asked->interface};
  sa_family_t family = AF_UNSPEC;
  std::memcpy(&family, address, sizeof family);
  sockaddr_storage bytes;
  *length = bundle::sockaddr_from_endpoint(given, family, &bytes);
  std::memcpy(address, &bytes, std::min(*length, room));
}

}  // namespace px::shim
