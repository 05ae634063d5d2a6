// SPDX-License-Identifier: MIT
// Questions that a program sends to name servers of the host's itself, under a profile that
// redirects them: they go to a server of the profile's, and the program sees the address that it
// has asked. Holds nothing but references. Callable from any thread and from signal handlers;
// changes no errno.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>

#include "preload/datagrams/local_address_cache.h"
#include "preload/process/system_calls.h"
#include "preload/session/current_plan.h"
#include "preload/session/decider.h"
#include "preload/sockets/call_address.h"
#include "preload/sockets/fd_table.h"

namespace px::shim {

// The number of a DNS packet, which the answer has, too: its first two bytes.
using QuestionNumber = std::optional<std::uint16_t>;
[[nodiscard]] QuestionNumber question_number(std::span<const iovec> parts, std::size_t size);

class Redirecting {
 public:
  constexpr Redirecting(const SystemCalls& system, FdTable& fds, const CurrentPlan& plan,
                        Decider& decider, LocalAddressCache& asked)
      : system_(system), fds_(fds), plan_(plan), decider_(decider), asked_(asked) {}

  // Whether a call to there may go elsewhere: what calls pay that do not.
  [[nodiscard]] bool may_concern(const bundle::Endpoint& destination) const {
    return destination.port == PX_NAME_SERVER_PORT && decider_.may_redirect();
  }

  // Where a socket of this kind, bound to `source` by the program or not, is to send instead.
  [[nodiscard]] plan::Redirection redirect(const FdState& state, const bundle::Address* source,
                                           const bundle::Endpoint& destination, bool ipv4_only);
  // From now on answers come from where the program has asked.
  void note(int fd, const bundle::Endpoint& server, const bundle::Endpoint& asked,
            QuestionNumber number);

  // The address of a connect. Its `error` is not 0 where no server can be asked: it fails.
  struct Target {
    int error = 0;
    sockaddr_storage address;
    socklen_t length;
  };
  // Nothing: the call is as it is.
  [[nodiscard]] std::optional<Target> connect_to(int fd, const CallAddress& destination);
  // Whether the first message of a send with MSG_FASTOPEN is for another address.
  [[nodiscard]] bool takes_fast_open(int fd, const CallAddress& destination);

  // Whether the socket may have been redirected.
  [[nodiscard]] bool concerns(int fd) const {
    return used_.load(std::memory_order_relaxed) && fds_.notes(fd).generation != 0;
  }
  // Puts the address that was asked in the place of the one that a call has given the program.
  // `room` is what the program had for it, `*length` what the call has said.
  void correct(int fd, sockaddr* address, socklen_t room, socklen_t* length,
               QuestionNumber number) const;

 private:
  [[nodiscard]] std::optional<PacketInfo> found(std::uint32_t socket,
                                                const bundle::Endpoint& server,
                                                QuestionNumber number) const;

  const SystemCalls& system_;
  FdTable& fds_;
  const CurrentPlan& plan_;
  Decider& decider_;
  LocalAddressCache& asked_;
  std::atomic<bool> used_{false};
};

}  // namespace px::shim
