// SPDX-License-Identifier: MIT
#include "netlink/kernel_state_changes.h"

#include <linux/rtnetlink.h>

#include <cerrno>

#include "netlink/attributes.h"
#include "netlink/subscription.h"

namespace px::netlink {
namespace {

constexpr int kGroups[] = {RTNLGRP_LINK,       RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
                           RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,  RTNLGRP_IPV4_RULE,
                           RTNLGRP_IPV6_RULE};

KernelStateChange change_of(const nlmsghdr& message) {
  KernelStateChange change;
  change.is_route = message.nlmsg_type == RTM_NEWROUTE || message.nlmsg_type == RTM_DELROUTE;
  change.is_removal = message.nlmsg_type == RTM_DELLINK || message.nlmsg_type == RTM_DELADDR ||
                      message.nlmsg_type == RTM_DELROUTE || message.nlmsg_type == RTM_DELRULE;
  const auto* route = change.is_route ? header_of<rtmsg>(message) : nullptr;
  if (route != nullptr) change.protocol = route->rtm_protocol;
  return change;
}

}  // namespace

Expected<Fd> subscribe_to_kernel_state(int receive_buffer) {
  return subscribe(Protocol::kRoute, kGroups, receive_buffer);
}

bool read_kernel_state_changes(int socket,
                               const std::function<void(const KernelStateChange&)>& heard) {
  bool heard_all = true;
  const auto hear = [&](const nlmsghdr& message) { heard(change_of(message)); };
  while (read_events(socket, hear) == ENOBUFS) heard_all = false;
  return heard_all;
}

}  // namespace px::netlink
