// SPDX-License-Identifier: MIT
#include "preload/sockets/program_choices.h"

#include <netinet/in.h>

#include <cstring>

#include "preload/sockets/kernel_socket.h"

namespace px::shim {
namespace {

enum class Choice { kNone, kTaken, kLifted };

Choice choice_by_number(const void* value, socklen_t length) {
  int number = 0;
  if (value != nullptr && length >= sizeof number) std::memcpy(&number, value, sizeof number);
  return number != 0 ? Choice::kTaken : Choice::kLifted;
}

// Whether the option chooses an egress.
Choice choice_by(int level, int name, const void* value, socklen_t length) {
  if (level == SOL_SOCKET && name == SO_BINDTODEVICE) {
    const bool named = length > 0 && *static_cast<const char*>(value) != '\0';
    return named ? Choice::kTaken : Choice::kLifted;
  }
  if ((level == SOL_SOCKET && (name == SO_MARK || name == SO_BINDTOIFINDEX)) ||
      (level == IPPROTO_IP && name == IP_UNICAST_IF) ||
      (level == IPPROTO_IPV6 && name == IPV6_UNICAST_IF)) {
    return choice_by_number(value, length);
  }
  // RFC 3542, section 6.2: source and interface of all that is sent.
  if (level == IPPROTO_IPV6 && name == IPV6_PKTINFO) {
    return length > 0 ? Choice::kTaken : Choice::kLifted;
  }
  return Choice::kNone;
}

}  // namespace

void note_bind(FdTable* fds, int fd, const std::optional<bundle::Endpoint>& endpoint) {
  FdState state = fds->get(fd);
  if (endpoint && is_unbound(state)) {
    state.kind = kind_bound_to(endpoint->address);
  } else if (endpoint && state.kind == FdKind::kOwned && !endpoint->address.is_unspecified()) {
    return;
  } else if (state.kind != FdKind::kForeign) {
    state = {};
  }
  fds->set(fd, state);
}

void note_option(FdTable* fds, int fd, int level, int name, const void* value, socklen_t length) {
  const Choice choice = choice_by(level, name, value, length);
  if (choice == Choice::kNone) return;
  FdState state = fds->get(fd);
  if (choice == Choice::kTaken) {
    state.kind = FdKind::kOwned;
  } else if (state.kind == FdKind::kOwned || state.kind == FdKind::kDecided) {
    state = {};
  }
  fds->set(fd, state);
}

void note_received(FdTable* fds, const msghdr& message) {
  if (message.msg_control == nullptr) return;
  auto* header = reinterpret_cast<cmsghdr*>(CMSG_FIRSTHDR(&message));
  for (; header != nullptr; header = CMSG_NXTHDR(const_cast<msghdr*>(&message), header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd;
      std::memcpy(&fd, CMSG_DATA(header) + i * sizeof fd, sizeof fd);
      fds->forget(fd);
    }
  }
}

}  // namespace px::shim
