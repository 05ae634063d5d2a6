// SPDX-License-Identifier: MIT
#include "netlink/generic_family.h"

#include <linux/genetlink.h>

namespace px::netlink {
namespace {

GenericFamily family_of(const Attributes& attributes) {
  GenericFamily family;
  family.id = attributes.u16(CTRL_ATTR_FAMILY_ID).value_or(0);
  for (const Attributes& group : attributes.list(CTRL_ATTR_MCAST_GROUPS)) {
    if (const auto id = group.u32(CTRL_ATTR_MCAST_GRP_ID)) {
      family.groups.emplace(group.text(CTRL_ATTR_MCAST_GRP_NAME), static_cast<int>(*id));
    }
  }
  return family;
}

}  // namespace

Expected<GenericFamily> find_generic_family(RequestSocket& socket, const std::string& name) {
  const GenericFamily controller{GENL_ID_CTRL, {}};
  MessageBuilder question = generic_request(controller, CTRL_CMD_GETFAMILY, 1);
  question.put_text(CTRL_ATTR_FAMILY_NAME, name);
  GenericFamily family;
  const int error = socket.request(question, [&](const nlmsghdr& message) {
    if (const auto answer = parse_generic(message)) family = family_of(answer->attributes);
  });
  if (error != 0) return fail_errno("the kernel has no generic netlink family " + name, error);
  return family;
}

MessageBuilder generic_request(const GenericFamily& family, std::uint8_t command,
                               std::uint8_t version) {
  genlmsghdr header{};
  header.cmd = command;
  header.version = version;
  return {family.id, 0, header};
}

std::optional<GenericMessage> parse_generic(const nlmsghdr& message) {
  const auto* header = header_of<genlmsghdr>(message);
  if (header == nullptr) return std::nullopt;
  return GenericMessage{header->cmd, Attributes(message, sizeof *header)};
}

}  // namespace px::netlink
