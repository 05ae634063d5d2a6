// SPDX-License-Identifier: MIT
#include "broker/daemon/host.h"

#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "util/fd.h"

namespace px::broker {
namespace {

// Newer than Debian 12's libc headers; include/uapi/asm-generic/socket.h.
constexpr int kSoNetnsCookie = 71;

}  // namespace

std::uint64_t network_namespace_cookie() {
  const Fd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  std::uint64_t cookie = 0;
  socklen_t length = sizeof cookie;
  if (getsockopt(socket.get(), SOL_SOCKET, kSoNetnsCookie, &cookie, &length) != 0) return 0;
  return cookie;
}

std::size_t raise_descriptor_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

std::uint64_t new_instance() {
  std::uint64_t number = 0;
  while (number == 0) {
    if (getrandom(&number, sizeof number, 0) != sizeof number) number = 0;
  }
  return number;
}

}  // namespace px::broker
