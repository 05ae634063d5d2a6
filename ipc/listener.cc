// SPDX-License-Identifier: MIT
#include "ipc/listener.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "util/socket_option.h"

namespace px::ipc {
namespace {

Expected<sockaddr_un> unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return fail("socket path is longer than " + std::to_string(sizeof address.sun_path - 1) +
                " bytes: " + path);
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

// Removes a socket that nobody listens at any more.
Expected<void> remove_dead(const std::string& path, const sockaddr_un& address,
                           const std::string& service) {
  struct stat status {};
  if (lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return {};
    return fail_errno(path);
  }
  if (!S_ISSOCK(status.st_mode)) return fail(path + " exists and is not a socket");
  const Fd probe(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!probe) return fail_errno("socket");
  if (connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ||
      errno == EAGAIN) {
    return fail("another " + service + " is running at " + path);
  }
  if (errno != ECONNREFUSED)
    return fail_errno("cannot tell whether a " + service + " runs at " + path);
  if (unlink(path.c_str()) != 0) return fail_errno("cannot remove " + path);
  return {};
}

}  // namespace

Expected<Fd> listen_at(const std::filesystem::path& path, const std::string& service) {
  PX_ASSIGN_OR_RETURN(const auto address, unix_address(path.string()));
  PX_TRY(remove_dead(path.string(), address, service));
  Fd listener(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!listener) return fail_errno("socket");
  if (bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      chmod(path.c_str(), 0666) != 0 || ::listen(listener.get(), SOMAXCONN) != 0) {
    return fail_errno("cannot listen at " + path.string());
  }
  return listener;
}

Expected<Fd> listen_at_abstract(std::string_view name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (name.size() >= sizeof address.sun_path) return fail("abstract socket name is too long");
  std::memcpy(address.sun_path + 1, name.data(), name.size());
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  Fd listener(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!listener || bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), length) != 0 ||
      ::listen(listener.get(), SOMAXCONN) != 0) {
    return fail_errno("cannot listen at @" + std::string(name));
  }
  return listener;
}

bool is_reachable_for_all(const std::filesystem::path& directory) {
  std::error_code error;
  for (auto path = std::filesystem::canonical(directory, error); !error;
       path = path.parent_path()) {
    const auto permissions = std::filesystem::status(path, error).permissions();
    if ((permissions & std::filesystem::perms::others_exec) == std::filesystem::perms::none) break;
    if (path == path.parent_path()) return true;
  }
  return false;
}

Expected<std::optional<PassedListener>> passed_listener() {
  constexpr int kFirst = 3;  // SD_LISTEN_FDS_START
  const char* pid = std::getenv("LISTEN_PID");
  const char* count = std::getenv("LISTEN_FDS");
  if (pid == nullptr || count == nullptr || pid != std::to_string(getpid())) return std::nullopt;
  const bool single = std::string_view(count) == "1";
  for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) unsetenv(name);
  sockaddr_un address{};
  socklen_t length = sizeof address;
  if (!single || socket_option(kFirst, SOL_SOCKET, SO_TYPE) != SOCK_SEQPACKET ||
      socket_option(kFirst, SOL_SOCKET, SO_ACCEPTCONN) != 1 ||
      getsockname(kFirst, reinterpret_cast<sockaddr*>(&address), &length) != 0 ||
      address.sun_family != AF_UNIX || address.sun_path[0] != '/') {
    return fail(
        "the service manager is to pass one listening socket (ListenSequentialPacket=PATH)");
  }
  if (fcntl(kFirst, F_SETFD, FD_CLOEXEC) != 0 || fcntl(kFirst, F_SETFL, O_NONBLOCK) != 0) {
    return fail_errno("fcntl");
  }
  return PassedListener{Fd(kFirst), address.sun_path};
}

}  // namespace px::ipc
