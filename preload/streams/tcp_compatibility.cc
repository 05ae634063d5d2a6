// SPDX-License-Identifier: MIT
#include "preload/streams/tcp_compatibility.h"

#include <fcntl.h>
#include <linux/sock_diag.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "libbundle/connect/sctp_wait.h"
#include "libbundle/core/sctp.h"
#include "libbundle/core/socket_option.h"
#include "preload/process/program_memory.h"
#include "preload/session/bundle_settings.h"
#include "preload/sockets/kernel_transports.h"

namespace px::shim {
namespace {

using bundle::kSctpNoDelay;
using bundle::kSctpPrimaryAddress;
using bundle::kSolSctp;

constexpr std::size_t kPiece = 64 * 1024;
constexpr int kSegment = 1448;                         // of TCP over Ethernet
constexpr socklen_t kMostOfOption = sizeof(tcp_info);  // of the answers that are made up
constexpr std::string_view kCongestionControl = "reno";

// Options that tune TCP, and change neither the data that arrive nor the peers that may send them:
// a transport that lacks them does without. Others (TCP_MD5SIG, TCP_ULP) are promises, and fail.
constexpr int kTuning[] = {
    TCP_NODELAY,      TCP_MAXSEG,
    TCP_CORK,         TCP_KEEPIDLE,
    TCP_KEEPINTVL,    TCP_KEEPCNT,
    TCP_SYNCNT,       TCP_LINGER2,
    TCP_DEFER_ACCEPT, TCP_WINDOW_CLAMP,
    TCP_INFO,         TCP_QUICKACK,
    TCP_CONGESTION,   TCP_THIN_LINEAR_TIMEOUTS,
    TCP_THIN_DUPACK,  TCP_USER_TIMEOUT,
    TCP_FASTOPEN,     TCP_NOTSENT_LOWAT,
    TCP_CC_INFO,      TCP_FASTOPEN_CONNECT,
    TCP_FASTOPEN_KEY, TCP_FASTOPEN_NO_COOKIE,
};

std::size_t size_of(std::span<const iovec> parts) {
  std::size_t size = 0;
  for (const iovec& part : parts) size += part.iov_len;
  return size;
}

// The answer for an option of TCP that SCTP lacks: no information, except values that programs
// divide by or compare.
socklen_t fill_option(int name, std::span<std::byte> answer) {
  std::ranges::fill(answer, std::byte{0});
  if (name == TCP_CONGESTION) {
    const std::size_t size = std::min(answer.size(), kCongestionControl.size());
    std::memcpy(answer.data(), kCongestionControl.data(), size);
    return static_cast<socklen_t>(size);
  }
  if (name == TCP_INFO) {
    const std::size_t size = std::min(answer.size(), sizeof(tcp_info));
    tcp_info info{};
    info.tcpi_state = TCP_ESTABLISHED;
    info.tcpi_snd_mss = info.tcpi_rcv_mss = kSegment;
    std::memcpy(answer.data(), &info, size);
    return static_cast<socklen_t>(size);
  }
  const int number = name == TCP_MAXSEG ? kSegment : 0;
  const std::size_t size = std::min(answer.size(), sizeof number);
  std::memcpy(answer.data(), &number, size);
  return static_cast<socklen_t>(size);
}

bool is_unknown_tuning(int level, int name, int error) {
  return level == IPPROTO_TCP && (error == ENOPROTOOPT || error == EOPNOTSUPP) &&
         std::ranges::find(kTuning, name) != std::end(kTuning);
}

}  // namespace

bool TcpCompatibility::may_be(plan::BundleTransport transport) const {
  const auto settings = bundle_settings(plan_);
  return std::ranges::find(settings.transports, transport) != std::end(settings.transports);
}

// Read once for each plan: a plan that is published meanwhile has another version.
bool TcpCompatibility::reads_sctp() const {
  const std::uint64_t plan = plan_.version();
  if (plan == with_sctp_.load(std::memory_order_relaxed)) return true;
  const bool found = may_be(plan::BundleTransport::kSctp);
  (found ? with_sctp_ : without_sctp_).store(plan, std::memory_order_relaxed);
  return found;
}

bool TcpCompatibility::is(plan::BundleTransport transport, int fd) const {
  const KeepErrno keep;
  return int_option(system_, fd, SOL_SOCKET, SO_PROTOCOL).value_or(-1) == protocol_of(transport);
}

int TcpCompatibility::connect_failed(int fd) const {
  if (errno != EALREADY || !is_sctp(fd)) return -1;
  const int flags = system_.fcntl(fd, F_GETFL, 0);
  if (flags < 0 || (flags & O_NONBLOCK) != 0) return -1;
  const bundle::Errno error = bundle::go_on_connecting(system_, fd);
  if (error == 0) return 0;
  errno = error;
  return -1;
}

ssize_t TcpCompatibility::write_failed(int fd, std::span<const iovec> parts, int flags) const {
  const int error = errno;
  const bool urgent = error == EOPNOTSUPP && (flags & MSG_OOB) != 0;
  if ((error != EINVAL && error != EMSGSIZE && !urgent) || !is_sctp(fd)) return -1;
  const std::size_t size = size_of(parts);
  if (size == 0) return 0;
  if (error == EINVAL) return -1;
  return send_in_pieces(fd, parts, flags & ~MSG_OOB);
}

ssize_t TcpCompatibility::send_in_pieces(int fd, std::span<const iovec> parts, int flags) const {
  const int errno_before = errno;
  const int room = int_option(system_, fd, SOL_SOCKET, SO_SNDBUF).value_or(0);
  // The kernel takes no message that is larger than its buffer.
  const std::size_t most = room > 0 ? std::min(kPiece, static_cast<std::size_t>(room)) : kPiece;
  ssize_t done = 0;
  for (const iovec& part : parts) {
    const auto* at = static_cast<const char*>(part.iov_base);
    for (std::size_t left = part.iov_len; left > 0;) {
      const ssize_t sent = libc_.send(fd, at, std::min(left, most), flags);
      if (sent < 0 && done == 0) return -1;
      if (sent < 0) {
        errno = errno_before;
        return done;
      }
      at += sent;
      left -= static_cast<std::size_t>(sent);
      done += sent;
    }
  }
  errno = errno_before;
  return done;
}

int TcpCompatibility::option_set(int result, int fd, int level, int name, const void* value,
                                 socklen_t length) const {
  if (result == 0 || !is_unknown_tuning(level, name, errno)) return result;
  if (is_mptcp(fd)) return 0;
  if (!is_sctp(fd)) return result;
  if (name == TCP_NODELAY) return libc_.setsockopt(fd, kSolSctp, kSctpNoDelay, value, length);
  return 0;
}

int TcpCompatibility::option_got(int result, int fd, int level, int name, void* value,
                                 socklen_t* length) const {
  if (result == 0 && level == SOL_SOCKET && name == SO_PROTOCOL) {
    int protocol = 0;
    if (*length < sizeof protocol) return result;
    std::memcpy(&protocol, value, sizeof protocol);
    if (protocol != IPPROTO_SCTP || !may_be_sctp()) return result;
    protocol = IPPROTO_TCP;
    std::memcpy(value, &protocol, sizeof protocol);
    return result;
  }
  if (result == 0 || !is_unknown_tuning(level, name, errno)) return result;
  const bool sctp = is_sctp(fd);
  if (!sctp && !is_mptcp(fd)) return result;
  if (sctp && name == TCP_NODELAY)
    return libc_.getsockopt(fd, kSolSctp, kSctpNoDelay, value, length);
  if (!can_write(length, sizeof *length) || !can_write(value, std::min(*length, kMostOfOption))) {
    errno = EFAULT;
    return -1;
  }
  const std::size_t room = std::min(*length, kMostOfOption);
  *length = fill_option(name, {static_cast<std::byte*>(value), room});
  return 0;
}

// SCTP_STATUS counts chunks, and none that was sent after the last acknowledgement came.
int TcpCompatibility::queue_query_failed(int fd, void* answer) const {
  if (errno != ENOTTY || !is_sctp(fd)) return -1;
  const int errno_before = errno;
  std::array<std::uint32_t, SK_MEMINFO_VARS> memory{};
  socklen_t length = sizeof memory;
  if (system_.getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory.data(), &length) != 0) {
    errno = errno_before;
    return -1;
  }
  // Has the kernel say EFAULT.
  if (libc_.ioctl(fd, SIOCINQ, answer) != 0) return -1;
  const auto bytes = static_cast<int>(memory[SK_MEMINFO_WMEM_QUEUED]);
  std::memcpy(answer, &bytes, sizeof bytes);
  return 0;
}

void TcpCompatibility::correct_peer(int fd, sockaddr* address, socklen_t room,
                                    socklen_t* length) const {
  if (!is_sctp(fd)) return;
  const KeepErrno keep;
  bundle::SctpPrimaryAddress primary{};
  socklen_t size = sizeof primary;
  if (system_.getsockopt(fd, kSolSctp, kSctpPrimaryAddress, &primary, &size) != 0) return;
  sockaddr_storage storage;
  std::memcpy(&storage, &primary.address, sizeof storage);
  const bool ipv6 = storage.ss_family == AF_INET6;
  if (!ipv6 && storage.ss_family != AF_INET) return;
  const socklen_t whole = ipv6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  std::memcpy(address, &storage, std::min(whole, room));
  *length = whole;
}

}  // namespace px::shim
