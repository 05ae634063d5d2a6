// SPDX-License-Identifier: MIT
#include "netlink/route_lookup.h"

#include <linux/rtnetlink.h>

#include <cerrno>
#include <optional>

#include "netlink/message_builder.h"
#include "netlink/parse.h"
#include "netlink/request_socket.h"

namespace px::netlink {
namespace {

using bundle::Address;

MessageBuilder question(const Address& destination, std::uint32_t interface_index,
                        const std::optional<Address>& source) {
  rtmsg header{};
  header.rtm_family = destination.is_ipv4() ? AF_INET : AF_INET6;
  header.rtm_dst_len = destination.is_ipv4() ? 32 : 128;
  header.rtm_src_len = source ? header.rtm_dst_len : 0;
  MessageBuilder message(RTM_GETROUTE, 0, header);
  message.put_address(RTA_DST, destination, destination.is_ipv4());
  if (source) message.put_address(RTA_SRC, *source, source->is_ipv4());
  message.put_u32(RTA_OIF, interface_index);
  return message;
}

Expected<std::optional<Address>> ask(const Address& destination, std::uint32_t interface_index,
                                     const std::optional<Address>& source) {
  PX_ASSIGN_OR_RETURN(auto socket, RequestSocket::open(Protocol::kRoute));
  std::optional<kernel::Route> route;
  const int error = socket.request(question(destination, interface_index, source),
                                   [&](const nlmsghdr& answer) { route = parse_answer(answer); });
  const bool leads = route && route->kind == kernel::RouteKind::kUnicast &&
                     route->next_hops.size() == 1 &&
                     route->next_hops.front().interface_index == interface_index;
  if (!leads) {
    return fail_errno("the interface has no route there", error != 0 ? error : ENETUNREACH);
  }
  return route->next_hops.front().gateway;
}

}  // namespace

Expected<std::optional<Address>> look_up_router(const Address& destination,
                                                std::uint32_t interface_index,
                                                const Address& source) {
  auto answer = ask(destination, interface_index, source);
  // An answer of IPv6 keeps to the interface only where the question names no source.
  if (answer || destination.is_ipv4()) return answer;
  return ask(destination, interface_index, std::nullopt);
}

}  // namespace px::netlink
