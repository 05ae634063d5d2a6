// SPDX-License-Identifier: MIT
// Generic netlink: families by their names, their messages as command and attributes. What speaks
// one names commands and attributes alone.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "netlink/attributes.h"
#include "netlink/message_builder.h"
#include "netlink/request_socket.h"
#include "util/error.h"

namespace px::netlink {

struct GenericFamily {
  std::uint16_t id = 0;
  std::map<std::string, int> groups;  // multicast groups, by name
};

// `socket`: of Protocol::kGeneric. An error where the kernel does not have the family.
[[nodiscard]] Expected<GenericFamily> find_generic_family(RequestSocket& socket,
                                                          const std::string& name);

[[nodiscard]] MessageBuilder generic_request(const GenericFamily& family, std::uint8_t command,
                                             std::uint8_t version);

struct GenericMessage {
  std::uint8_t command = 0;
  Attributes attributes;
};
// Nothing for a message that is too short.
[[nodiscard]] std::optional<GenericMessage> parse_generic(const nlmsghdr& message);

}  // namespace px::netlink
