// SPDX-License-Identifier: MIT
#include "libbundle/connect/kernel_addresses.h"

#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

#include "libbundle/core/bundle_builder.h"
#include "libbundle/core/sctp.h"
#include "libbundle/core/socket_option.h"

namespace px::bundle {
namespace {

constexpr int kSolMptcp = 284;
constexpr int kSubflowAddresses = 3;  // MPTCP_SUBFLOW_ADDRS

constexpr std::size_t kMostOfAHost = 64;  // SCTP fails where not all of them fit
constexpr std::size_t kMostSubflows = 8;  // of MPTCP's path manager

// struct sctp_getaddrs; packed addresses.
struct SctpAddresses {
  std::int32_t association;
  std::uint32_t count;
  alignas(4) std::array<std::byte, kMostOfAHost * sizeof(sockaddr_in6)> addresses;
};

// struct mptcp_subflow_data and struct mptcp_subflow_addrs.
struct SubflowAddresses {
  struct alignas(8) Head {
    std::uint32_t size = sizeof(Head);
    std::uint32_t count = 0;
    std::uint32_t size_in_kernel = 0;
    std::uint32_t size_here = sizeof(Subflow);
  };
  struct Subflow {
    sockaddr_storage local;
    sockaddr_storage remote;
  };
  Head head;
  std::array<Subflow, kMostSubflows> subflows;
};

// The own addresses of association 0 are those of the socket: all of the host, loopback included,
// where it is bound to none. Any other number means the one association of a one-to-one socket.
constexpr std::int32_t kOfSocket = 0;
constexpr std::int32_t kOfAssociation = 1;

Bundle of_association(const SystemCalls& system, int fd, Side side) {
  SctpAddresses answer{};
  const auto ask = [&](int name, std::int32_t association) {
    answer.association = association;
    socklen_t length = sizeof answer;
    return system.getsockopt(fd, kSolSctp, name, &answer, &length) == 0;
  };
  const int name = side == Side::kOwn ? kSctpLocalAddresses : kSctpPeerAddresses;
  if (!ask(name, kOfAssociation) && !ask(name, kOfSocket)) return {};
  BundleBuilder builder;
  std::size_t offset = 0;
  for (std::uint32_t i = 0; i < answer.count; ++i) {
    if (offset + sizeof(sockaddr_in) > answer.addresses.size()) break;
    const auto* address = reinterpret_cast<const sockaddr*>(answer.addresses.data() + offset);
    const std::size_t size =
        address->sa_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
    const auto endpoint = endpoint_from_sockaddr(address, static_cast<socklen_t>(size));
    if (!endpoint) break;
    builder.add(*endpoint);
    offset += size;
  }
  return builder.build();
}

Bundle of_subflows(const SystemCalls& system, int fd, Side side) {
  SubflowAddresses answer{};
  socklen_t length = sizeof answer;
  if (system.getsockopt(fd, kSolMptcp, kSubflowAddresses, &answer, &length) != 0) return {};
  BundleBuilder builder;
  const std::size_t count = std::min<std::size_t>(answer.head.count, kMostSubflows);
  for (std::size_t i = 0; i < count; ++i) {
    const auto& subflow = answer.subflows[i];
    const sockaddr_storage& end = side == Side::kOwn ? subflow.local : subflow.remote;
    const auto endpoint =
        endpoint_from_sockaddr(reinterpret_cast<const sockaddr*>(&end), sizeof end);
    if (endpoint) builder.add(*endpoint);
  }
  return builder.build();
}

}  // namespace

Bundle kernel_addresses(const SystemCalls& system, int fd, Side side) {
  const auto protocol = int_option(system, fd, SOL_SOCKET, SO_PROTOCOL);
  if (protocol == IPPROTO_SCTP) return of_association(system, fd, side);
  if (protocol == IPPROTO_MPTCP) return of_subflows(system, fd, side);
  return {};
}

}  // namespace px::bundle
