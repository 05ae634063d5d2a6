// SPDX-License-Identifier: MIT
// Socket options of one fixed size, for hosted code: numbers as a rule. errno tells why the
// kernel did not read or set one. Callable from any thread.
#pragma once

#include <sys/socket.h>

#include <optional>
#include <type_traits>

namespace px {

// Nothing where the socket has no such option, or one of another size.
template <typename Value = int>
[[nodiscard]] std::optional<Value> socket_option(int socket, int level, int name) {
  static_assert(std::is_trivially_copyable_v<Value>);
  Value value{};
  socklen_t length = sizeof value;
  if (getsockopt(socket, level, name, &value, &length) != 0 || length != sizeof value) {
    return std::nullopt;
  }
  return value;
}

// False where it cannot be set.
template <typename Value>
[[nodiscard]] bool set_socket_option(int socket, int level, int name, const Value& value) {
  static_assert(std::is_trivially_copyable_v<Value>);
  return setsockopt(socket, level, name, &value, sizeof value) == 0;
}

}  // namespace px
