// SPDX-License-Identifier: MIT
// The bundles that listening sockets are bound to: the sockets may be called at those addresses
// alone. A fixed table by the socket's cookie, which the kernel gives no second socket: right for
// every duplicate of a descriptor and in a forked child, and never for the socket that has the
// number next. Closed sockets make room once the table is full. One static instance, lock-free: any
// thread, any signal handler. Changes no errno.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "libbundle/core/bundle.h"
#include "preload/process/system_calls.h"
#include "preload/sockets/fd_table.h"

namespace px::shim {

// Whether a call to `called` is one to the set. A member 0.0.0.0 stands for all of IPv4, and :: for
// every address.
[[nodiscard]] bool admits(const bundle::Bundle& set, const bundle::Endpoint& called);

// A set, and whether the kernel itself drops the calls to other addresses.
struct ListenerFilter {
  bundle::Bundle set;
  bool in_kernel = false;
};

class ListenerFilters {
 public:
  static constexpr std::size_t kSize = 64;
  using Cookie = std::uint64_t;
  using Place = std::size_t;

  constexpr ListenerFilters(const SystemCalls& system, const FdTable& fds)
      : system_(system), fds_(fds) {}

  // Whether no socket was ever bound to a bundle: a single load.
  [[nodiscard]] bool empty() const { return !used_.load(std::memory_order_relaxed); }

  // A place in the table, to be filled or left; nothing while kSize others are bound. The
  // descriptor that it is for has BundleRole::kBound by now: others are taken for closed.
  [[nodiscard]] std::optional<Place> reserve();
  void fill(Place place, Cookie cookie, const ListenerFilter& filter);
  void leave(Place place);

  // The bundle that the socket behind the descriptor is bound to.
  [[nodiscard]] std::optional<ListenerFilter> find(int fd) const;
  // Whether an open socket of this process is bound to a set with this address and port.
  [[nodiscard]] bool claims(const bundle::Endpoint& endpoint);
  // SO_COOKIE; 0 where the descriptor is no socket.
  [[nodiscard]] Cookie cookie_of(int fd) const;

 private:
  static constexpr Cookie kReserved = ~Cookie{0};  // cookies are counted up from 1
  static constexpr std::size_t kWords = 3 * bundle::kMostMembers;
  struct Slot {
    std::atomic<Cookie> cookie{0};  // 0: free
    std::atomic<std::uint64_t> count{0};
    std::atomic<std::uint64_t> in_kernel{0};
    std::array<std::atomic<std::uint64_t>, kWords> words{};
  };

  // Whether there was room, or is now.
  [[nodiscard]] bool sweep();
  [[nodiscard]] std::optional<Place> claim();
  [[nodiscard]] static ListenerFilter read(const Slot& slot);

  const SystemCalls& system_;
  const FdTable& fds_;
  std::atomic<bool> used_{false};
  std::array<Slot, kSize> slots_{};
};

}  // namespace px::shim
