// SPDX-License-Identifier: MIT
#include "ipc/peer.h"

#include <sys/socket.h>
#include <sys/syscall.h>

#include <array>
#include <climits>
#include <fstream>

#include "util/socket_option.h"

namespace px::ipc {
namespace {

// Newer than Debian 12's headers; include/uapi/asm-generic/socket.h.
constexpr int kSoPeerPidFd = 77;

}  // namespace

Expected<Peer> peer_of(int socket) {
  const auto credentials = socket_option<ucred>(socket, SOL_SOCKET, SO_PEERCRED);
  if (!credentials) return fail_errno("SO_PEERCRED");
  // A peer in a PID namespace that is not seen from here has no number here.
  if (credentials->pid <= 0) return fail("the peer is in a PID namespace unknown here");
  Peer peer{credentials->pid, credentials->uid, {}};
  if (const auto process = socket_option(socket, SOL_SOCKET, kSoPeerPidFd)) {
    peer.process = Fd(*process);
  } else if (errno == ENOPROTOOPT) {
    peer.process = Fd(static_cast<int>(syscall(SYS_pidfd_open, credentials->pid, 0)));
  }
  if (!peer.process) return fail_errno("pidfd of " + std::to_string(credentials->pid));
  return peer;
}

std::optional<uid_t> user_of_peer(int socket) {
  const auto credentials = socket_option<ucred>(socket, SOL_SOCKET, SO_PEERCRED);
  return credentials ? std::optional(credentials->uid) : std::nullopt;
}

std::string executable_of(pid_t pid) {
  const std::string directory = "/proc/" + std::to_string(pid);
  std::array<char, PATH_MAX> target{};
  const ssize_t length = readlink((directory + "/exe").c_str(), target.data(), target.size());
  if (length > 0) return {target.data(), static_cast<std::size_t>(length)};
  std::ifstream comm(directory + "/comm");
  std::string name;
  std::getline(comm, name);
  return "[" + name + "]";
}

}  // namespace px::ipc
