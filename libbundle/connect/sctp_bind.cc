// SPDX-License-Identifier: MIT
#include "libbundle/connect/sctp_bind.h"

#include <netinet/in.h>

#include <cerrno>

#include "libbundle/connect/packed_addresses.h"

namespace px::bundle {
namespace {

constexpr int kSolSctp = 132;
constexpr int kBindxAdd = 100;  // SCTP_SOCKOPT_BINDX_ADD

int option(const SystemCalls& system, int fd, int name) {
  int value = 0;
  socklen_t length = sizeof value;
  return system.getsockopt(fd, SOL_SOCKET, name, &value, &length) == 0 ? value : 0;
}

int add(const SystemCalls& system, int fd, const PackedAddresses& packed) {
  const int result = system.setsockopt(fd, kSolSctp, kBindxAdd, packed.bytes.data(), packed.size);
  return result == 0 ? 0 : errno;
}

int try_elsewhere(const SystemCalls& system, int fd, const PackedAddresses& packed) {
  const int trial =
      system.socket(option(system, fd, SO_DOMAIN), SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_SCTP);
  if (trial < 0) return errno;
  for (const int name : {SO_REUSEADDR, SO_REUSEPORT}) {
    const int value = option(system, fd, name);
    if (value != 0) (void)system.setsockopt(trial, SOL_SOCKET, name, &value, sizeof value);
  }
  const int error = add(system, trial, packed);
  (void)system.close(trial);
  return error;
}

}  // namespace

int sctp_bind(const SystemCalls& system, int fd, const Bundle& set) {
  const PackedAddresses packed(set.members());
  const int error = try_elsewhere(system, fd, packed);
  return error != 0 ? error : add(system, fd, packed);
}

}  // namespace px::bundle
