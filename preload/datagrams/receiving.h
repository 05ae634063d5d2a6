// SPDX-License-Identifier: MIT
// The interposed receive calls. On datagram sockets that the program bound to a port alone, and
// under a `listen` also on those that it bound to an address, the kernel is asked to say which of
// the host's addresses was called, and by which interface. That is remembered for the answer, and
// kept from a program that did not ask for it. Answers to redirected questions come from where the
// program has asked. Holds nothing but references. Callable from any
// thread and from signal handlers; results and errno as in libc.
#pragma once

#include <sys/socket.h>

#include <ctime>
#include <optional>

#include "libbundle/core/address.h"
#include "preload/datagrams/local_address_cache.h"
#include "preload/datagrams/packet_info.h"
#include "preload/datagrams/redirecting.h"
#include "preload/process/symbols.h"
#include "preload/process/system_calls.h"
#include "preload/session/current_plan.h"
#include "preload/session/decider.h"
#include "preload/sockets/fd_table.h"

namespace px::shim {

class Receiving {
 public:
  constexpr Receiving(const Symbols& libc, const SystemCalls& system, FdTable& fds,
                      const CurrentPlan& plan, const Decider& decider,
                      LocalAddressCache& local_addresses, const Redirecting& redirecting)
      : libc_(libc),
        system_(system),
        fds_(fds),
        plan_(plan),
        decider_(decider),
        local_addresses_(local_addresses),
        redirecting_(redirecting) {}

  ssize_t recvfrom(int fd, void* data, size_t size, int flags, sockaddr* address,
                   socklen_t* length);
  ssize_t recvmsg(int fd, msghdr* message, int flags);
  int recvmmsg(int fd, mmsghdr* messages, unsigned count, int flags, timespec* timeout);

  // After the program's own bind(2), setsockopt(2) and connect(2) that succeeded. Change no errno.
  void bound(int fd, const std::optional<bundle::Endpoint>& endpoint);
  void option_set(int fd, int level, int name, const void* value, socklen_t length);
  void connected(int fd, sa_family_t family);

 private:
  // Watches the socket if that has to be looked at still; whether it is watched.
  [[nodiscard]] bool watches(int fd);
  void examine(int fd);
  [[nodiscard]] bool source_is_enough() const;
  void watch(int fd, const FdState& state, FdNotes notes);
  [[nodiscard]] bool turn_on(int fd, int level, int name, bool* was_on);
  // Remembers what one received message says, and gives the program its control data without what
  // it did not ask for.
  void take(const FdNotes& notes, int flags, const msghdr& received, msghdr* program);
  // The three calls, but for answers to redirected questions.
  ssize_t recvfrom_anywhere(int fd, void* data, size_t size, int flags, sockaddr* address,
                            socklen_t* length);
  ssize_t recvmsg_anywhere(int fd, msghdr* message, int flags);
  // What has come into `message`, whose name had that room.
  void correct(int fd, msghdr* message, socklen_t room, std::size_t size) const;
  [[nodiscard]] int receive_batch(int fd, mmsghdr* messages, unsigned* count, int flags,
                                  timespec* timeout);

  const Symbols& libc_;
  const SystemCalls& system_;
  FdTable& fds_;
  const CurrentPlan& plan_;
  const Decider& decider_;
  LocalAddressCache& local_addresses_;
  const Redirecting& redirecting_;
};

}  // namespace px::shim
