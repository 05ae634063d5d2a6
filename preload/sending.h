// SPDX-License-Identifier: MIT
// The interposed send calls, on datagram sockets: each message with the control data of its way,
// and what the program sees of that as if it had been libc's own call. Holds nothing but
// references. Callable from any thread and from signal handlers; results and errno as in libc.
#pragma once

#include <sys/socket.h>

#include "preload/connector.h"
#include "preload/datagrams.h"
#include "preload/symbols.h"

namespace px::shim {

class Sending {
 public:
  constexpr Sending(const Symbols& libc, const SystemCalls& system, FdTable& fds,
                    Connector& connector, Datagrams& datagrams)
      : libc_(libc), system_(system), fds_(fds), connector_(connector), datagrams_(datagrams) {}

  ssize_t send(int fd, const void* data, size_t size, int flags);
  ssize_t sendto(int fd, const void* data, size_t size, int flags, const sockaddr* address,
                 socklen_t length);
  ssize_t sendmsg(int fd, const msghdr* message, int flags);
  int sendmmsg(int fd, mmsghdr* messages, unsigned count, int flags);

 private:
  struct Batch {
    int sent;
    bool whole;
  };
  [[nodiscard]] Datagrams::Way way_of(int fd, const msghdr& message);
  ssize_t send_along(int fd, msghdr message, int flags, const Datagrams::Way& way);
  [[nodiscard]] Batch send_batch(int fd, mmsghdr* messages, unsigned count, int flags);
  // Makes the call, and once more if its failure is a lost device that could be replaced.
  template <typename Call>
  auto recovering(int fd, Call call);
  [[nodiscard]] bool recover(int fd);

  const Symbols& libc_;
  const SystemCalls& system_;
  FdTable& fds_;
  Connector& connector_;
  Datagrams& datagrams_;
};

}  // namespace px::shim
