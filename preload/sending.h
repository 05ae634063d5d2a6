// SPDX-License-Identifier: MIT
// The interposed write and send calls: on datagram sockets each message with the control data of
// its egress, on streams with what programs expect of TCP, as if it had been libc's own call. Holds
// nothing but references. Callable from any thread and from signal handlers; results and errno as
// in libc.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include "preload/datagrams/datagrams.h"
#include "preload/datagrams/redirecting.h"
#include "preload/process/symbols.h"
#include "preload/sockets/call_address.h"
#include "preload/streams/connector.h"
#include "preload/streams/tcp_compatibility.h"

namespace px::shim {

class Sending {
 public:
  // As connect(2), to the address that the call names.
  using Connect = int (*)(int fd, const CallAddress& destination);

  constexpr Sending(const Symbols& libc, const SystemCalls& system, const FdTable& fds,
                    Connector& connector, Datagrams& datagrams, Redirecting& redirecting,
                    const TcpCompatibility& tcp, Connect connect)
      : libc_(libc),
        system_(system),
        fds_(fds),
        connector_(connector),
        datagrams_(datagrams),
        redirecting_(redirecting),
        tcp_(tcp),
        connect_(connect) {}

  // Whether a send without an address is known to be for libc alone: what sockets pay that are none
  // of px's. The calls below find out what is not known yet.
  [[nodiscard]] bool leaves_alone(int fd) const {
    const FdState state = fds_.get(fd);
    return (state.no_sctp || tcp_.rules_out_sctp()) && !may_recover(state);
  }

  // The same of a message, whatever it names.
  [[nodiscard]] bool leaves_messages_alone(int fd, int flags) const {
    return (flags & MSG_FASTOPEN) == 0 && leaves_alone(fd) && !datagrams_.concern(fd);
  }

  ssize_t write(int fd, const void* data, size_t size);
  ssize_t writev(int fd, const iovec* parts, int count);
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
  [[nodiscard]] Datagrams::Egress egress_of(int fd, const msghdr& message);
  ssize_t send_through(int fd, msghdr message, int flags, const Datagrams::Egress& egress);
  [[nodiscard]] Batch send_batch(int fd, mmsghdr* messages, unsigned count, int flags);
  // Makes the call, and once more if its failure is a lost device that could be replaced.
  template <typename Call>
  auto recovering(int fd, Call call);
  [[nodiscard]] static bool may_recover(const FdState& state) {
    return state.kind == FdKind::kDecided && state.datagram && state.interface != 0;
  }
  [[nodiscard]] bool recover(int fd);
  // How a send with MSG_FASTOPEN begins: SCTP has no such flag, and is connected here, as is what
  // goes to another address than the call names.
  enum class Opening { kFailed, kKernels, kConnected };
  [[nodiscard]] Opening open_fast(int fd, const void* address, socklen_t length, int flags);
  // To the one peer that the socket has been connected to.
  ssize_t send_connected(int fd, msghdr message, int flags);
  // Whether a write that fails may mean something else than on TCP.
  [[nodiscard]] bool may_be_sctp(int fd) const {
    return !fds_.get(fd).no_sctp && tcp_.may_be_sctp();
  }
  // As leaves_messages_alone(), but finds out what is not known yet.
  [[nodiscard]] bool needs_no_look(int fd, int flags) const;
  // As leaves_alone(), but finds out what is not known yet.
  [[nodiscard]] bool is_plain(int fd) const {
    return !may_be_sctp(fd) && !may_recover(fds_.get(fd));
  }
  // sendmmsg(2)'s result where the first message alone was sent, or failed.
  [[nodiscard]] static int first_sent(ssize_t size, mmsghdr* messages);
  // The result of a call that sent these, as programs expect of a stream.
  [[nodiscard]] ssize_t sent(ssize_t result, int fd, const void* data, size_t size,
                             int flags) const;
  [[nodiscard]] ssize_t sent(ssize_t result, int fd, const iovec* parts, size_t count,
                             int flags) const;
  [[nodiscard]] ssize_t sent(ssize_t result, int fd, const msghdr& message, int flags) const;

  const Symbols& libc_;
  const SystemCalls& system_;
  const FdTable& fds_;
  Connector& connector_;
  Datagrams& datagrams_;
  Redirecting& redirecting_;
  const TcpCompatibility& tcp_;
  const Connect connect_;
};

}  // namespace px::shim
