// SPDX-License-Identifier: MIT
#include "preload/addressing.h"

#include <cerrno>

#include "preload/session/bundle_settings.h"
#include "preload/sockets/program_choices.h"

namespace px::shim {

bool Addressing::looks_before_connect(int fd) const {
  return connecting_.may_concern_single() || !connector_.leaves_alone(fd) ||
         datagrams_.may_answer(fd) || fds_.notes(fd).role != BundleRole::kNone;
}

bool Addressing::may_be_of_bundle(int result) const {
  return result != 0 && (errno == EAFNOSUPPORT || errno == EINVAL) && bundles_are_on(plan_);
}

int Addressing::connected(int result, int fd, sa_family_t family) {
  if (result != 0) return tcp_.connect_failed(fd);
  receiving_.connected(fd, family);
  if (family == AF_UNSPEC) connector_.dissolved(fd);
  return result;
}

bool Addressing::prepare(int fd, const CallAddress& destination) {
  const auto answer = datagrams_.answer_to(fd, destination);
  if (!answer) return connector_.prepare(fd, destination, By::kConnect);
  return connector_.prepare_answer(fd, destination,
                                   {answer->by.address, answer->by.interface, answer->mark});
}

int Addressing::connect_to(int fd, const CallAddress& destination) {
  const auto target = redirecting_.connect_to(fd, destination);
  if (!target) return connect_at(fd, destination);
  if (target->error == 0) {
    const auto* address = reinterpret_cast<const sockaddr*>(&target->address);
    return connect_at(fd, known_call_address(address, target->length));
  }
  errno = target->error;
  return -1;
}

int Addressing::connect_at(int fd, const CallAddress& destination) {
  if (destination.is_bundle() || connecting_.may_concern_single()) {
    if (const auto result = connecting_.connect(fd, destination)) return *result;
  }
  if (!prepare(fd, destination)) return -1;
  const int result = libc_.connect(fd, destination.bytes, destination.length);
  return connected(result, fd, destination.family);
}

int Addressing::connect(int fd, const sockaddr* address, socklen_t length) {
  if (looks_before_connect(fd)) return connect_to(fd, read_call_address(address, length));
  const int errno_before = errno;
  const int result = libc_.connect(fd, address, length);
  if (may_be_of_bundle(result)) {
    const CallAddress destination = read_call_address(address, length);
    if (destination.is_bundle()) {
      errno = errno_before;
      return connect_to(fd, destination);
    }
  }
  return connected(result, fd,
                   result == 0 ? known_call_address(address, length).family : AF_UNSPEC);
}

int Addressing::bind(int fd, const sockaddr* address, socklen_t length) {
  if (binding_.may_concern(fd)) {
    const CallAddress named = read_call_address(address, length);
    if (binding_.takes(fd, named)) return binding_.bind(fd, named);
  }
  const int errno_before = errno;
  const int result = libc_.bind(fd, address, length);
  if (may_be_of_bundle(result)) {
    const CallAddress named = read_call_address(address, length);
    if (named.is_bundle()) {
      errno = errno_before;
      return binding_.bind(fd, named);
    }
  }
  if (result != 0) return result;
  const CallAddress named = known_call_address(address, length);
  note_bind(&fds_, fd, named.endpoint);
  receiving_.bound(fd, named.endpoint);
  return result;
}

}  // namespace px::shim
