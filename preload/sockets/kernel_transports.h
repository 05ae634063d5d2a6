// SPDX-License-Identifier: MIT
// Which transports the kernel has, as this process has found out: a refusal is remembered, since
// asking for SCTP may start modprobe each time. Static, lock-free; callable from any thread and
// from signal handlers. A forked or vfork child's finding is true of its parent too.
#pragma once

#include <atomic>
#include <cstdint>

#include "plan/bundle_layout.h"
#include "preload/process/symbols.h"

namespace px::shim {

// As socket(2) takes it; 0 for kTcp and kNone.
[[nodiscard]] int protocol_of(plan::BundleTransport transport);

class KernelTransports {
 public:
  constexpr explicit KernelTransports(const Symbols& libc) : libc_(libc) {}

  // As socket(2); an errno that says that the kernel has no such transport is remembered, and the
  // kernel not asked again: EPROTONOSUPPORT from then on. `type`: SOCK_STREAM and flags.
  [[nodiscard]] int make(plan::BundleTransport transport, int domain, int type);

  // Whether the kernel has it, found out by a socket that is closed at once; at most one per
  // transport and process. Changes no errno.
  [[nodiscard]] bool has(plan::BundleTransport transport);

 private:
  const Symbols& libc_;
  std::atomic<std::uint8_t> absent_{0};   // bits by BundleTransport
  std::atomic<std::uint8_t> present_{0};  // likewise
};

}  // namespace px::shim
