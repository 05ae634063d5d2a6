// SPDX-License-Identifier: MIT
#include "preload/datagrams/route_probe.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "preload/process/signals.h"
#include "preload/process/spare_descriptors.h"
#include "preload/process/system_calls.h"

namespace px::shim {
namespace {

constexpr std::size_t kAddressSize = 16;

struct Question {
  nlmsghdr header;
  rtmsg route;
  std::byte attributes[2 * RTA_SPACE(kAddressSize) + RTA_SPACE(sizeof(std::uint32_t))];
};

template <typename Value>
void add(Question* question, unsigned short type, const Value& value) {
  auto* place = reinterpret_cast<std::byte*>(question) + question->header.nlmsg_len;
  const rtattr attribute{.rta_len = RTA_LENGTH(sizeof value), .rta_type = type};
  std::memcpy(place, &attribute, sizeof attribute);
  std::memcpy(place + RTA_LENGTH(0), &value, sizeof value);
  question->header.nlmsg_len += RTA_SPACE(sizeof value);
}

Question question_for(const bundle::Address& destination, const bundle::Address& source,
                      std::uint32_t interface) {
  Question question{};
  question.header.nlmsg_len = NLMSG_LENGTH(sizeof question.route);
  question.header.nlmsg_type = RTM_GETROUTE;
  question.header.nlmsg_flags = NLM_F_REQUEST;
  question.route.rtm_family = AF_INET6;
  question.route.rtm_dst_len = 8 * kAddressSize;
  add(&question, RTA_DST, destination.bytes);
  if (!source.is_unspecified()) {
    question.route.rtm_src_len = 8 * kAddressSize;
    add(&question, RTA_SRC, source.bytes);
  }
  add(&question, RTA_OIF, interface);
  return question;
}

std::optional<Route> route_in(const std::byte* answer, std::size_t size) {
  constexpr std::size_t kStart = NLMSG_LENGTH(sizeof(rtmsg));
  nlmsghdr header;
  rtmsg message;
  if (size < kStart) return std::nullopt;
  std::memcpy(&header, answer, sizeof header);
  std::memcpy(&message, answer + NLMSG_LENGTH(0), sizeof message);
  if (header.nlmsg_type != RTM_NEWROUTE || message.rtm_type != RTN_UNICAST) return std::nullopt;
  Route route;
  for (std::size_t at = kStart; at + sizeof(rtattr) <= size;) {
    rtattr attribute;
    std::memcpy(&attribute, answer + at, sizeof attribute);
    if (attribute.rta_len < sizeof attribute || attribute.rta_len > size - at) break;
    const std::byte* value = answer + at + RTA_LENGTH(0);
    const std::size_t length = attribute.rta_len - RTA_LENGTH(0);
    if (attribute.rta_type == RTA_OIF && length == sizeof route.interface) {
      std::memcpy(&route.interface, value, length);
    } else if (attribute.rta_type == RTA_PREFSRC && length == kAddressSize) {
      std::memcpy(route.source.bytes.data(), value, length);
    }
    at += RTA_ALIGN(attribute.rta_len);
  }
  return route;
}

}  // namespace

std::optional<Route> probe_route(const bundle::Address& destination, const bundle::Address& source,
                                 std::uint32_t interface) {
  const KeepErrno keep;
  const BlockSignals block;
  const auto make = [] {
    return ::syscall(SYS_socket, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  };
  SpareDescriptors spare;
  long fd = make();
  if (fd < 0 && errno == EMFILE && spare.take()) fd = make();
  if (fd < 0) return std::nullopt;
  const Question question = question_for(destination, source, interface);
  std::byte answer[1024];
  long size =
      ::syscall(SYS_sendto, fd, &question, std::size_t{question.header.nlmsg_len}, 0, nullptr, 0);
  // The kernel answers while it is asked: what would have to be waited for is no answer.
  if (size >= 0) {
    size = ::syscall(SYS_recvfrom, fd, answer, sizeof answer, MSG_DONTWAIT, nullptr, nullptr);
  }
  ::syscall(SYS_close, fd);
  if (size < 0) return std::nullopt;
  return route_in(answer, static_cast<std::size_t>(size));
}

}  // namespace px::shim
