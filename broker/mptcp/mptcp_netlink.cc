// SPDX-License-Identifier: MIT
#include "broker/mptcp/mptcp_netlink.h"

#include <linux/mptcp.h>
#include <netlink/errno.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/handlers.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string>

namespace px::broker {
namespace {

constexpr int kEventBuffer = 1 << 20;  // bytes

struct FreeMessage {
  void operator()(nl_msg* message) const { nlmsg_free(message); }
};
using Message = std::unique_ptr<nl_msg, FreeMessage>;

void put_address(nl_msg* message, const bundle::Address& address) {
  const bool ipv4 = address.is_ipv4();
  const int skip = ipv4 ? 12 : 0;
  nla_put_u16(message, MPTCP_PM_ADDR_ATTR_FAMILY, ipv4 ? AF_INET : AF_INET6);
  nla_put(message, ipv4 ? MPTCP_PM_ADDR_ATTR_ADDR4 : MPTCP_PM_ADDR_ATTR_ADDR6, 16 - skip,
          address.bytes.data() + skip);
}

// Without an entry the kernel chooses source and interface, as for any connect.
void put_local(nl_msg* message, const SubflowAttempt& attempt) {
  const auto& [member, entry] = attempt.way;
  nlattr* nested = nla_nest_start(message, MPTCP_PM_ATTR_ADDR | NLA_F_NESTED);
  put_address(message, source_of(attempt.way));
  nla_put_u8(message, MPTCP_PM_ADDR_ATTR_ID, attempt.local_id);
  const std::uint32_t interface_index = entry ? entry->interface_index : member.scope;
  if (interface_index != 0) {
    nla_put_s32(message, MPTCP_PM_ADDR_ATTR_IF_IDX, static_cast<std::int32_t>(interface_index));
  }
  nla_nest_end(message, nested);
}

void put_remote(nl_msg* message, const bundle::Endpoint& member) {
  nlattr* nested = nla_nest_start(message, MPTCP_PM_ATTR_ADDR_REMOTE | NLA_F_NESTED);
  put_address(message, member.address);
  nla_put_u16(message, MPTCP_PM_ADDR_ATTR_PORT, member.port);  // host byte order
  nla_nest_end(message, nested);
}

// libnl would turn the kernel's errno into one of its own numbers, several into one.
int note_error(sockaddr_nl*, nlmsgerr* answer, void* argument) {
  *static_cast<int*>(argument) = -answer->error;
  return NL_STOP;
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

std::optional<MptcpEvent> event_of(nlmsghdr* header) {
  if (!genlmsg_valid_hdr(header, 0)) return std::nullopt;
  auto* generic = static_cast<genlmsghdr*>(nlmsg_data(header));
  const auto kind = kind_of(generic->cmd);
  std::array<nlattr*, MPTCP_ATTR_MAX + 1> attributes{};
  if (!kind || genlmsg_parse(header, 0, attributes.data(), MPTCP_ATTR_MAX, nullptr) != 0 ||
      attributes[MPTCP_ATTR_TOKEN] == nullptr) {
    return std::nullopt;
  }
  MptcpEvent event{*kind, nla_get_u32(attributes[MPTCP_ATTR_TOKEN]), {}};
  if (const nlattr* ipv4 = attributes[MPTCP_ATTR_DADDR4]; ipv4 != nullptr && nla_len(ipv4) == 4) {
    event.peer.address = bundle::ipv4_address(0);
    std::memcpy(event.peer.address.bytes.data() + 12, nla_data(ipv4), 4);
  } else if (const nlattr* ipv6 = attributes[MPTCP_ATTR_DADDR6];
             ipv6 != nullptr && nla_len(ipv6) == 16) {
    std::memcpy(event.peer.address.bytes.data(), nla_data(ipv6), 16);
  }
  if (const nlattr* interface = attributes[MPTCP_ATTR_IF_IDX];
      interface != nullptr && nla_len(interface) == sizeof(std::int32_t)) {
    event.peer.interface_index = nla_get_u32(interface);
  }
  return event;
}

int hear(nl_msg* message, void* argument) {
  const auto& heard = *static_cast<const std::function<void(const MptcpEvent&)>*>(argument);
  if (const auto event = event_of(nlmsg_hdr(message))) heard(*event);
  return NL_OK;
}

}  // namespace

bundle::Address source_of(const MemberEgress& way) {
  if (way.entry) return way.entry->source;
  return way.member.address.is_ipv4() ? bundle::ipv4_address(0) : bundle::Address{};
}

void MptcpNetlink::FreeSocket::operator()(nl_sock* socket) const {
  nl_socket_free(socket);
}

Expected<MptcpNetlink> MptcpNetlink::open() {
  Socket commands(nl_socket_alloc());
  Socket events(nl_socket_alloc());
  if (!commands || !events) return fail("cannot allocate a netlink socket");
  for (nl_sock* socket : {commands.get(), events.get()}) {
    if (const int error = genl_connect(socket); error < 0) {
      return fail(std::string("cannot open a netlink socket: ") + nl_geterror(error));
    }
  }
  const int family = genl_ctrl_resolve(commands.get(), MPTCP_PM_NAME);
  const int group = genl_ctrl_resolve_grp(commands.get(), MPTCP_PM_NAME, MPTCP_PM_EV_GRP_NAME);
  if (family < 0 || group < 0) return fail("this kernel has no MPTCP");
  nl_socket_disable_seq_check(events.get());
  nl_socket_disable_auto_ack(events.get());
  const int size = kEventBuffer;
  (void)setsockopt(nl_socket_get_fd(events.get()), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
  if (nl_socket_set_nonblocking(events.get()) < 0 ||
      nl_socket_add_membership(events.get(), group) < 0) {
    return fail("it may not hear of MPTCP's connections without CAP_NET_ADMIN");
  }
  return MptcpNetlink(std::move(commands), std::move(events), family);
}

int MptcpNetlink::create(const SubflowAttempt& attempt) {
  const Message message(nlmsg_alloc());
  if (!message || genlmsg_put(message.get(), NL_AUTO_PORT, NL_AUTO_SEQ, family_, 0, NLM_F_ACK,
                              MPTCP_PM_CMD_SUBFLOW_CREATE, MPTCP_PM_VER) == nullptr) {
    return ENOMEM;
  }
  nla_put_u32(message.get(), MPTCP_PM_ATTR_TOKEN, attempt.token);
  put_local(message.get(), attempt);
  put_remote(message.get(), attempt.way.member);
  int error = 0;
  nl_socket_modify_err_cb(commands_.get(), NL_CB_CUSTOM, note_error, &error);
  if (nl_send_auto(commands_.get(), message.get()) < 0) return EIO;
  if (nl_wait_for_ack(commands_.get()) < 0 && error == 0) return EIO;
  return error;
}

int MptcpNetlink::events_fd() const {
  return nl_socket_get_fd(events_.get());
}

bool MptcpNetlink::read_events(const std::function<void(const MptcpEvent&)>& heard) {
  auto* argument = const_cast<std::function<void(const MptcpEvent&)>*>(&heard);
  nl_socket_modify_cb(events_.get(), NL_CB_VALID, NL_CB_CUSTOM, hear, argument);
  for (;;) {
    const int error = nl_recvmsgs_default(events_.get());
    if (error == -NLE_AGAIN) return true;
    if (error < 0) return false;
  }
}

}  // namespace px::broker
