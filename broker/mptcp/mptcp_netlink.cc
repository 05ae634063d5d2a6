// SPDX-License-Identifier: MIT
#include "broker/mptcp/mptcp_netlink.h"

#include <linux/mptcp.h>
#include <sys/socket.h>

#include <optional>

#include "netlink/subscription.h"

namespace px::broker {
namespace {

using netlink::MessageBuilder;

constexpr int kEventBuffer = 1 << 20;  // bytes

void put_address(MessageBuilder& message, const bundle::Address& address) {
  const bool ipv4 = address.is_ipv4();
  message.put_u16(MPTCP_PM_ADDR_ATTR_FAMILY, ipv4 ? AF_INET : AF_INET6);
  message.put_address(ipv4 ? MPTCP_PM_ADDR_ATTR_ADDR4 : MPTCP_PM_ADDR_ATTR_ADDR6, address, ipv4);
}

// Without an entry the kernel chooses source and interface, as for any connect.
void put_local(MessageBuilder& message, const SubflowAttempt& attempt) {
  const auto& [member, entry] = attempt.egress;
  put_address(message, source_of(attempt.egress));
  message.put_u8(MPTCP_PM_ADDR_ATTR_ID, attempt.local_id);
  const std::uint32_t interface_index = entry ? entry->interface_index : member.scope;
  if (interface_index != 0) message.put_u32(MPTCP_PM_ADDR_ATTR_IF_IDX, interface_index);
}

void put_remote(MessageBuilder& message, const bundle::Endpoint& member) {
  put_address(message, member.address);
  message.put_u16(MPTCP_PM_ADDR_ATTR_PORT, member.port);  // host byte order
}

std::optional<MptcpEvent::Kind> kind_of(int command) {
  switch (command) {
    case MPTCP_EVENT_CREATED:
    case MPTCP_EVENT_ESTABLISHED:
      return MptcpEvent::Kind::kCreated;
    case MPTCP_EVENT_CLOSED:
      return MptcpEvent::Kind::kClosed;
    case MPTCP_EVENT_SUB_ESTABLISHED:
      return MptcpEvent::Kind::kSubflowUp;
    case MPTCP_EVENT_SUB_CLOSED:
      return MptcpEvent::Kind::kSubflowDown;
    default:
      return std::nullopt;
  }
}

std::optional<MptcpEvent> event_of(const nlmsghdr& message) {
  const auto parsed = netlink::parse_generic(message);
  if (!parsed) return std::nullopt;
  const auto kind = kind_of(parsed->command);
  const netlink::Attributes& attributes = parsed->attributes;
  const auto token = attributes.u32(MPTCP_ATTR_TOKEN);
  if (!kind || !token) return std::nullopt;
  MptcpEvent event{*kind, *token, {}};
  const auto ipv4 = attributes.address(MPTCP_ATTR_DADDR4);
  const auto peer = ipv4 ? ipv4 : attributes.address(MPTCP_ATTR_DADDR6);
  event.peer.address = peer.value_or(bundle::Address{});
  event.peer.interface_index = attributes.u32(MPTCP_ATTR_IF_IDX).value_or(0);
  return event;
}

}  // namespace

bundle::Address source_of(const MemberEgress& egress) {
  if (egress.entry) return egress.entry->source;
  return egress.member.address.is_ipv4() ? bundle::ipv4_address(0) : bundle::Address{};
}

Expected<MptcpNetlink> MptcpNetlink::open() {
  PX_ASSIGN_OR_RETURN(auto commands, netlink::RequestSocket::open(netlink::Protocol::kGeneric));
  auto family = netlink::find_generic_family(commands, MPTCP_PM_NAME);
  if (!family || !family->groups.contains(MPTCP_PM_EV_GRP_NAME)) {
    return fail("this kernel has no MPTCP");
  }
  const int group = family->groups.at(MPTCP_PM_EV_GRP_NAME);
  auto events = netlink::subscribe(netlink::Protocol::kGeneric, {&group, 1}, kEventBuffer);
  if (!events) return fail("it may not hear of MPTCP's connections without CAP_NET_ADMIN");
  return MptcpNetlink(std::move(commands), std::move(*events), std::move(*family));
}

int MptcpNetlink::create(const SubflowAttempt& attempt) {
  MessageBuilder message =
      netlink::generic_request(family_, MPTCP_PM_CMD_SUBFLOW_CREATE, MPTCP_PM_VER);
  message.put_u32(MPTCP_PM_ATTR_TOKEN, attempt.token);
  message.put_nested(MPTCP_PM_ATTR_ADDR, [&] { put_local(message, attempt); });
  message.put_nested(MPTCP_PM_ATTR_ADDR_REMOTE,
                     [&] { put_remote(message, attempt.egress.member); });
  return commands_.request(message);
}

bool MptcpNetlink::read_events(const std::function<void(const MptcpEvent&)>& heard) {
  return netlink::read_events(events_.get(), [&](const nlmsghdr& message) {
           if (const auto event = event_of(message)) heard(*event);
         }) == 0;
}

}  // namespace px::broker
