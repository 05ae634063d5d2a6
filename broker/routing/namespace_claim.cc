// SPDX-License-Identifier: MIT
#include "broker/routing/namespace_claim.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <string>

#include "util/socket_option.h"

namespace px::broker {
namespace {

constexpr char kName[] = "\0px-routing";  // abstract: after a NUL, without one at its end
constexpr std::size_t kNameSize = sizeof kName - 1;
constexpr int kBacklog = 64;  // of brokers that ask who holds it; nobody is accepted

Fd open_socket() {
  return Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

struct Name {
  sockaddr_un address{};
  socklen_t size = offsetof(sockaddr_un, sun_path) + kNameSize;
  Name() {
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, kName, kNameSize);
  }
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address); }
};

std::string holder() {
  const Fd socket = open_socket();
  const Name name;
  if (connect(socket.get(), name.get(), name.size) != 0) return "another broker";
  const auto credentials = socket_option<ucred>(socket.get(), SOL_SOCKET, SO_PEERCRED);
  if (!credentials) return "another broker";
  return "another broker (pid " + std::to_string(credentials->pid) + ", user " +
         std::to_string(credentials->uid) + ")";
}

}  // namespace

Expected<NamespaceClaim> NamespaceClaim::take() {
  Fd socket = open_socket();
  const Name name;
  if (!socket || bind(socket.get(), name.get(), name.size) != 0) {
    if (errno == EADDRINUSE) {
      return fail(holder() + " manages next hops in this network namespace");
    }
    return fail_errno("cannot claim this network namespace's next hops");
  }
  if (listen(socket.get(), kBacklog) != 0) return fail_errno("listen");
  return NamespaceClaim(std::move(socket));
}

}  // namespace px::broker
