// SPDX-License-Identifier: MIT
#include "preload/names/source_details.h"

#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <optional>

namespace px::shim {
namespace {

using Packet = std::span<const std::byte>;

template <typename Value>
std::optional<Value> value_at(Packet packet, std::size_t offset) {
  Value value;
  if (packet.size() < offset || packet.size() - offset < sizeof value) return std::nullopt;
  std::memcpy(&value, packet.data() + offset, sizeof value);
  return value;
}

class KernelQuestions {
 public:
  KernelQuestions()
      : fd_(static_cast<int>(
            ::syscall(SYS_socket, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE))) {}
  KernelQuestions(const KernelQuestions&) = delete;
  KernelQuestions& operator=(const KernelQuestions&) = delete;
  ~KernelQuestions() {
    if (fd_ >= 0) ::syscall(SYS_close, fd_);
  }

  template <typename Body>
  [[nodiscard]] bool ask(std::uint16_t type, std::uint16_t flags, const Body& body) {
    struct {
      nlmsghdr header;
      Body body;
    } question{};
    question.header.nlmsg_len = sizeof question;
    question.header.nlmsg_type = type;
    question.header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
    question.body = body;
    return ::syscall(SYS_sendto, fd_, &question, sizeof question, 0, nullptr, 0) >= 0;
  }
  // One packet of the answer. The kernel answers while it is asked: what would have to be waited
  // for is no answer.
  [[nodiscard]] Packet receive() {
    const long size =
        ::syscall(SYS_recvfrom, fd_, buffer_, sizeof buffer_, MSG_DONTWAIT, nullptr, nullptr);
    return {buffer_, size > 0 ? static_cast<std::size_t>(size) : 0};
  }

 private:
  const int fd_;
  std::byte buffer_[8192];
};

// The next message of a packet, without what is behind it; empty at the end.
Packet take_message(Packet* packet) {
  const auto header = value_at<nlmsghdr>(*packet, 0);
  if (!header || header->nlmsg_len < sizeof *header || header->nlmsg_len > packet->size()) {
    return {};
  }
  const Packet message = packet->first(header->nlmsg_len);
  *packet = packet->subspan(std::min<std::size_t>(NLMSG_ALIGN(message.size()), packet->size()));
  return message;
}

std::optional<bundle::Address> address_in(Packet value, int family) {
  bundle::Address address;
  if (family == AF_INET && value.size() == 4) {
    address = bundle::ipv4_address(0);
  } else if (family != AF_INET6 || value.size() != address.bytes.size()) {
    return std::nullopt;
  }
  std::memcpy(address.bytes.data() + address.bytes.size() - value.size(), value.data(),
              value.size());
  return address;
}

// The address of the host that a message is about; of a point-to-point link, its own end's.
std::optional<bundle::Address> local_address(Packet message, const ifaddrmsg& about) {
  std::optional<bundle::Address> found;
  std::size_t at = NLMSG_LENGTH(sizeof about);
  while (const auto attribute = value_at<rtattr>(message, at)) {
    const std::size_t length = attribute->rta_len;
    if (length < sizeof *attribute || length > message.size() - at) break;
    const auto value = message.subspan(at).first(length).subspan(RTA_LENGTH(0));
    const bool local = attribute->rta_type == IFA_LOCAL;
    if (local || (attribute->rta_type == IFA_ADDRESS && !found)) {
      found = address_in(value, about.ifa_family);
    }
    at += RTA_ALIGN(length);
  }
  return found;
}

// Whether it is one that has the host count as having IPv6.
bool take_address(Packet message, std::span<Destination> destinations) {
  const auto about = value_at<ifaddrmsg>(message, NLMSG_LENGTH(0));
  const auto address = about ? local_address(message, *about) : std::nullopt;
  if (!address) return false;
  for (Destination& one : destinations) {
    if (!one.reachable || one.source != *address || one.interface != 0) continue;
    one.interface = about->ifa_index;
    one.prefix_bits = about->ifa_prefixlen;
    one.deprecated = (about->ifa_flags & (IFA_F_DEPRECATED | IFA_F_OPTIMISTIC)) != 0;
    one.home = (about->ifa_flags & IFA_F_HOMEADDRESS) != 0;
  }
  return !address->is_ipv4() && !address->is_loopback();
}

// Whether the host has IPv6.
bool add_addresses(KernelQuestions* kernel, std::span<Destination> destinations) {
  bool has_ipv6 = false;
  if (!kernel->ask(RTM_GETADDR, NLM_F_DUMP, rtgenmsg{AF_UNSPEC})) return false;
  for (Packet packet = kernel->receive(); !packet.empty(); packet = kernel->receive()) {
    for (Packet message = take_message(&packet); !message.empty();
         message = take_message(&packet)) {
      const auto type = value_at<nlmsghdr>(message, 0)->nlmsg_type;
      if (type == NLMSG_DONE || type == NLMSG_ERROR) return has_ipv6;
      if (type == RTM_NEWADDR && take_address(message, destinations)) has_ipv6 = true;
    }
  }
  return has_ipv6;
}

// As libc does on a host without IPv6: there, an IPv4 network of the host's own counts for nothing.
void forget_details(std::span<Destination> destinations) {
  constexpr Destination kNothing;
  for (Destination& one : destinations) {
    one.interface = kNothing.interface;
    one.prefix_bits = kNothing.prefix_bits;
  }
}

bool is_native(KernelQuestions* kernel, std::uint32_t interface) {
  ifinfomsg asked{};
  asked.ifi_index = static_cast<int>(interface);
  if (!kernel->ask(RTM_GETLINK, 0, asked)) return true;
  const Packet answer = kernel->receive();
  const auto header = value_at<nlmsghdr>(answer, 0);
  const auto link = value_at<ifinfomsg>(answer, NLMSG_LENGTH(0));
  if (!header || !link || header->nlmsg_type != RTM_NEWLINK) return true;
  return link->ifi_type != ARPHRD_TUNNEL && link->ifi_type != ARPHRD_TUNNEL6 &&
         link->ifi_type != ARPHRD_SIT;
}

// Which of them are tunnels matters between several interfaces alone.
void add_links(KernelQuestions* kernel, std::span<Destination> destinations) {
  std::uint32_t first = 0;
  bool several = false;
  for (const Destination& one : destinations) {
    if (!one.reachable || one.interface == 0) continue;
    several = several || (first != 0 && one.interface != first);
    first = one.interface;
  }
  if (!several) return;
  std::uint32_t known = 0;
  bool native = true;
  for (Destination& one : destinations) {
    if (!one.reachable || one.interface == 0) continue;
    if (one.interface != known) native = is_native(kernel, one.interface);
    known = one.interface;
    one.native = native;
  }
}

}  // namespace

void add_source_details(std::span<Destination> destinations) {
  KernelQuestions kernel;
  if (!add_addresses(&kernel, destinations)) return forget_details(destinations);
  add_links(&kernel, destinations);
}

}  // namespace px::shim
