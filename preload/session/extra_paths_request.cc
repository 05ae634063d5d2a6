// SPDX-License-Identifier: MIT
#include "preload/session/extra_paths_request.h"

#include "plan/bundle_wire.h"
#include "preload/session/exchange.h"

namespace px::shim {

bool request_extra_paths(const Settings& settings, int fd,
                         std::span<const bundle::Endpoint> members, PathAnswer answer) {
  if (members.empty() || members.size() > bundle::kMostMembers) return false;
  auto request = plan::make<plan::ExtraPaths>();
  request.port = members.front().port;
  request.count = static_cast<std::uint16_t>(members.size());
  for (std::size_t i = 0; i < members.size(); ++i) {
    request.members[i] = {members[i].address, members[i].scope};
  }
  const auto packet = std::as_bytes(std::span(&request, 1));
  if (answer == PathAnswer::kNotAwaited) return tell(settings, fd, packet);
  return exchange(settings, {}, fd, packet, plan::MessageType::kExtraPathsTaken).done;
}

}  // namespace px::shim
