// SPDX-License-Identifier: MIT
#include "cli/audit/open_sockets.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <optional>
#include <set>
#include <string>

#include "util/fd.h"
#include "util/socket_option.h"

namespace px::cli {
namespace {

struct Seen {
  OpenSocket socket;
  bool stream = false;
  bool listens = false;
  std::uint16_t port = 0;  // its own
};

std::uint16_t own_port(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  // At the same place in both families.
  return ntohs(reinterpret_cast<const sockaddr_in*>(&address)->sin_port);
}

std::optional<Seen> look_at(int fd, pid_t pid, std::uint64_t own_network) {
  const int family = socket_option<int>(fd, SOL_SOCKET, SO_DOMAIN).value_or(AF_UNSPEC);
  const bool is_internet = family == AF_INET || family == AF_INET6;
  const auto cookie = socket_option<std::uint64_t>(fd, SOL_SOCKET, SO_COOKIE);
  if (!cookie || !is_internet) return std::nullopt;
  Seen seen;
  seen.socket = {*cookie, {static_cast<std::uint32_t>(pid), PX_AUDIT_EARLIER}};
  seen.stream = socket_option<int>(fd, SOL_SOCKET, SO_TYPE) == SOCK_STREAM;
  seen.listens = socket_option<int>(fd, SOL_SOCKET, SO_ACCEPTCONN) == 1;
  seen.port = own_port(fd);
  if (socket_option<std::uint64_t>(fd, SOL_SOCKET, SO_NETNS_COOKIE) != own_network)
    seen.socket.entry.flags |= PX_AUDIT_FOREIGN;
  return seen;
}

std::optional<std::uint64_t> own_network() {
  const Fd any(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  return socket_option<std::uint64_t>(any.get(), SOL_SOCKET, SO_NETNS_COOKIE);
}

}  // namespace

Expected<std::vector<OpenSocket>> open_sockets(pid_t pid) {
  const Fd process(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!process) return std::vector<OpenSocket>{};
  const std::uint64_t network = own_network().value_or(0);
  std::vector<Seen> all;
  std::set<std::uint16_t> listening;
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd", error)) {
    std::error_code gone;
    if (!std::filesystem::read_symlink(entry.path(), gone).string().starts_with("socket:"))
      continue;
    const int number = std::stoi(entry.path().filename().string());
    const Fd copy(static_cast<int>(syscall(SYS_pidfd_getfd, process.get(), number, 0)));
    if (!copy && errno == EPERM)
      return fail_errno("the open sockets of process " + std::to_string(pid) +
                        " may not be looked at");
    if (!copy) continue;
    const auto seen = look_at(copy.get(), pid, network);
    if (!seen) continue;
    if (seen->listens) listening.insert(seen->port);
    all.push_back(*seen);
  }
  std::vector<OpenSocket> sockets;
  for (Seen& seen : all) {
    // At the port of a listener: a connection that came in.
    const bool came_in = seen.stream && listening.contains(seen.port);
    if (!came_in) seen.socket.entry.flags |= PX_AUDIT_ACTIVE;
    sockets.push_back(seen.socket);
  }
  return sockets;
}

}  // namespace px::cli
