// SPDX-License-Identifier: MIT
#include "libbundle/connect/sctp_bind.h"

#include <netinet/in.h>

#include <cerrno>

#include "libbundle/connect/packed_addresses.h"
#include "libbundle/core/sctp.h"
#include "libbundle/core/socket_option.h"

namespace px::bundle {
namespace {

int add(const SystemCalls& system, int fd, const PackedAddresses& packed) {
  const int result =
      system.setsockopt(fd, kSolSctp, kSctpBindxAdd, packed.bytes.data(), packed.size);
  return result == 0 ? 0 : errno;
}

int try_elsewhere(const SystemCalls& system, int fd, const PackedAddresses& packed) {
  const int domain = int_option(system, fd, SOL_SOCKET, SO_DOMAIN).value_or(AF_UNSPEC);
  const int trial = system.socket(domain, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_SCTP);
  if (trial < 0) return errno;
  for (const int name : {SO_REUSEADDR, SO_REUSEPORT}) {
    const int value = int_option(system, fd, SOL_SOCKET, name).value_or(0);
    if (value != 0) (void)set_int_option(system, trial, SOL_SOCKET, name, value);
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
