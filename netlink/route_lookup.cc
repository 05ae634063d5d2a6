// SPDX-License-Identifier: MIT
#include "netlink/route_lookup.h"

#include <linux/rtnetlink.h>
#include <netlink/handlers.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>

#include <cerrno>
#include <memory>

#include "netlink/parse.h"

namespace px::broker {
namespace {

using bundle::Address;

struct FreeSocket {
  void operator()(nl_sock* socket) const { nl_socket_free(socket); }
};
struct FreeMessage {
  void operator()(nl_msg* message) const { nlmsg_free(message); }
};

void put_address(nl_msg* message, int attribute, const Address& address) {
  const int skip = address.is_ipv4() ? 12 : 0;
  nla_put(message, attribute, 16 - skip, address.bytes.data() + skip);
}

std::unique_ptr<nl_msg, FreeMessage> question(const Address& destination,
                                              std::uint32_t interface_index,
                                              const std::optional<Address>& source) {
  std::unique_ptr<nl_msg, FreeMessage> message(nlmsg_alloc_simple(RTM_GETROUTE, 0));
  if (!message) return message;
  rtmsg header{};
  header.rtm_family = destination.is_ipv4() ? AF_INET : AF_INET6;
  header.rtm_dst_len = destination.is_ipv4() ? 32 : 128;
  header.rtm_src_len = source ? header.rtm_dst_len : 0;
  nlmsg_append(message.get(), &header, sizeof header, NLMSG_ALIGNTO);
  put_address(message.get(), RTA_DST, destination);
  if (source) put_address(message.get(), RTA_SRC, *source);
  nla_put_u32(message.get(), RTA_OIF, interface_index);
  return message;
}

struct Answer {
  std::optional<kernel::Route> route;
  int error = 0;
};

int hear(nl_msg* message, void* argument) {
  static_cast<Answer*>(argument)->route = parse_answer(*nlmsg_hdr(message));
  return NL_OK;
}

int hear_error(sockaddr_nl*, nlmsgerr* answer, void* argument) {
  static_cast<Answer*>(argument)->error = -answer->error;
  return NL_STOP;
}

Expected<std::optional<Address>> ask(const Address& destination, std::uint32_t interface_index,
                                     const std::optional<Address>& source) {
  const std::unique_ptr<nl_sock, FreeSocket> socket(nl_socket_alloc());
  const auto message = question(destination, interface_index, source);
  if (!socket || !message || nl_connect(socket.get(), NETLINK_ROUTE) < 0) {
    return fail("cannot ask the kernel for a route");
  }
  nl_socket_disable_auto_ack(socket.get());
  Answer answer;
  nl_socket_modify_cb(socket.get(), NL_CB_VALID, NL_CB_CUSTOM, hear, &answer);
  nl_socket_modify_err_cb(socket.get(), NL_CB_CUSTOM, hear_error, &answer);
  if (nl_send_auto(socket.get(), message.get()) < 0) return fail("cannot ask for a route");
  (void)nl_recvmsgs_default(socket.get());
  const bool leads = answer.route && answer.route->kind == kernel::RouteKind::kUnicast &&
                     answer.route->next_hops.size() == 1 &&
                     answer.route->next_hops.front().interface_index == interface_index;
  if (!leads) {
    return fail_errno("the interface has no way there",
                      answer.error != 0 ? answer.error : ENETUNREACH);
  }
  return answer.route->next_hops.front().gateway;
}

}  // namespace

Expected<std::optional<Address>> look_up_router(const Address& destination,
                                                std::uint32_t interface_index,
                                                const Address& source) {
  auto answer = ask(destination, interface_index, source);
  // Of IPv6 the kernel keeps to the interface, for who is bound to none, without a source alone.
  if (answer || destination.is_ipv4()) return answer;
  return ask(destination, interface_index, std::nullopt);
}

}  // namespace px::broker
