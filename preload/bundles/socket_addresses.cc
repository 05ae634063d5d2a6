// SPDX-License-Identifier: MIT
#include "preload/bundles/socket_addresses.h"

#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "libbundle/connect/kernel_addresses.h"
#include "libbundle/core/address.h"
#include "libbundle/core/layout.h"
#include "preload/process/program_memory.h"

namespace px::shim {
namespace {

bool give(const void* answer, socklen_t answer_length, sockaddr* address, socklen_t* length) {
  const socklen_t given = std::min(answer_length, *length);
  if (!can_write(address, given)) return false;
  std::memcpy(address, answer, given);
  *length = answer_length;
  return true;
}

bool give_bundle(const bundle::Bundle& found, sockaddr* address, socklen_t* length) {
  alignas(sockaddr_bundle) std::array<std::byte, sizeof(sockaddr_bundle)> whole{};
  const std::size_t limit = *length < whole.size() ? std::size_t{BUNDLE_SIZE_USUAL} : whole.size();
  const socklen_t size = bundle::sockaddr_from_bundle(found, whole.data(), limit);
  return give(whole.data(), size, address, length);
}

}  // namespace

bool give_single(const sockaddr_storage& answer, socklen_t answer_length, sockaddr* address,
                 socklen_t* length) {
  if (address == nullptr) return true;
  const auto endpoint =
      bundle::endpoint_from_sockaddr(reinterpret_cast<const sockaddr*>(&answer), answer_length);
  if (!endpoint || !endpoint->address.is_ipv4())
    return give(&answer, answer_length, address, length);
  sockaddr_storage plain{};
  const socklen_t plain_length = bundle::sockaddr_from_endpoint(*endpoint, AF_INET, &plain);
  return give(&plain, plain_length, address, length);
}

int SocketAddresses::getsockname(int fd, sockaddr* address, socklen_t* length) const {
  if (fds_.notes(fd).role == BundleRole::kNone) return libc_.getsockname(fd, address, length);
  return name(End::kOwn, fd, address, length);
}

int SocketAddresses::getpeername(int fd, sockaddr* address, socklen_t* length) const {
  if (fds_.notes(fd).role == BundleRole::kNone) return libc_.getpeername(fd, address, length);
  return name(End::kPeer, fd, address, length);
}

int SocketAddresses::name(End end, int fd, sockaddr* address, socklen_t* length) const {
  const auto ask = end == End::kOwn ? libc_.getsockname : libc_.getpeername;
  // The kernel says EFAULT.
  if (address == nullptr || !can_write(length, sizeof *length)) return ask(fd, address, length);
  sockaddr_storage answer{};
  socklen_t answer_length = sizeof answer;
  const int result = ask(fd, reinterpret_cast<sockaddr*>(&answer), &answer_length);
  if (result != 0) return result;
  const BundleRole role = fds_.notes(fd).role;
  const auto single =
      bundle::endpoint_from_sockaddr(reinterpret_cast<const sockaddr*>(&answer), answer_length);
  bool given = false;
  if (role == BundleRole::kAccepted || !single) {
    given = give_single(answer, answer_length, address, length);
  } else {
    given = give_bundle(bundle_at(end, fd, *single, role), address, length);
  }
  if (given) return 0;
  errno = EFAULT;
  return -1;
}

bundle::Bundle SocketAddresses::bundle_at(End end, int fd, const bundle::Endpoint& single,
                                          BundleRole role) const {
  const KeepErrno keep;
  bundle::Bundle found;
  if (end == End::kOwn && role == BundleRole::kBound) {
    if (const auto filter = listener_filters_.find(fd)) found = filter->set;
  }
  if (found.count == 0) {
    found = bundle::kernel_addresses(system_, fd,
                                     end == End::kOwn ? bundle::Side::kOwn : bundle::Side::kPeer);
  }
  if (found.count == 0) {
    found.endpoints[0] = single;
    found.count = 1;
  }
  for (std::size_t i = 0; i < found.count; ++i) found.endpoints[i].port = single.port;
  return found;
}

}  // namespace px::shim
