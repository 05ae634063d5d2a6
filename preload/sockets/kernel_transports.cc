// SPDX-License-Identifier: MIT
#include "preload/sockets/kernel_transports.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "preload/process/signals.h"
#include "preload/process/system_calls.h"

namespace px::shim {
namespace {

using plan::BundleTransport;

constexpr std::uint8_t bit_of(BundleTransport transport) {
  return static_cast<std::uint8_t>(1u << static_cast<unsigned>(transport));
}

// EINVAL: kernels before MPTCP know no protocol of such a number. ENOPROTOOPT: net.mptcp.enabled is
// 0. EPERM, EACCES: a sandbox (seccomp, SELinux) that allows TCP alone.
bool is_refusal(int error) {
  switch (error) {
    case EPROTONOSUPPORT:
    case ESOCKTNOSUPPORT:
    case EINVAL:
    case ENOPROTOOPT:
    case EPERM:
    case EACCES:
      return true;
    default:
      return false;
  }
}

}  // namespace

int protocol_of(BundleTransport transport) {
  switch (transport) {
    case BundleTransport::kSctp:
      return IPPROTO_SCTP;
    case BundleTransport::kMptcp:
      return IPPROTO_MPTCP;
    case BundleTransport::kTcp:
    case BundleTransport::kNone:
      break;
  }
  return 0;
}

int KernelTransports::make(BundleTransport transport, int domain, int type) {
  const bool optional = transport != BundleTransport::kTcp;
  if (optional && (absent_.load(std::memory_order_relaxed) & bit_of(transport)) != 0) {
    errno = EPROTONOSUPPORT;
    return -1;
  }
  const int fd = libc_.socket(domain, type, protocol_of(transport));
  if (fd >= 0) {
    present_.fetch_or(bit_of(transport), std::memory_order_relaxed);
  } else if (optional && is_refusal(errno)) {
    absent_.fetch_or(bit_of(transport), std::memory_order_relaxed);
    errno = EPROTONOSUPPORT;
  }
  return fd;
}

bool KernelTransports::has(BundleTransport transport) {
  if (transport == BundleTransport::kNone) return false;
  if (transport == BundleTransport::kTcp) return true;
  if ((present_.load(std::memory_order_relaxed) & bit_of(transport)) != 0) return true;
  if ((absent_.load(std::memory_order_relaxed) & bit_of(transport)) != 0) return false;
  const KeepErrno keep;
  const BlockSignals block;
  const int fd = make(transport, AF_INET, SOCK_STREAM | SOCK_CLOEXEC);
  if (fd < 0) return false;
  ::syscall(SYS_close, fd);
  return true;
}

}  // namespace px::shim
