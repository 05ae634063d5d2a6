// SPDX-License-Identifier: MIT
#include "broker/sessions/listener.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cstring>
#include <string>

namespace px::broker {
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
Expected<void> remove_dead(const std::string& path, const sockaddr_un& address) {
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
    return fail("another broker is running at " + path);
  }
  if (errno != ECONNREFUSED) return fail_errno("cannot tell whether a broker runs at " + path);
  if (unlink(path.c_str()) != 0) return fail_errno("cannot remove " + path);
  return {};
}

}  // namespace

Expected<Fd> listen_at(const std::filesystem::path& path) {
  const auto address = unix_address(path.string());
  if (!address) return tl::make_unexpected(address.error());
  if (auto removed = remove_dead(path.string(), *address); !removed) {
    return tl::make_unexpected(removed.error());
  }
  Fd listener(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!listener) return fail_errno("socket");
  if (bind(listener.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0 ||
      chmod(path.c_str(), 0666) != 0 || ::listen(listener.get(), SOMAXCONN) != 0) {
    return fail_errno("cannot listen at " + path.string());
  }
  return listener;
}

}  // namespace px::broker
