// SPDX-License-Identifier: MIT
// A netlink socket for requests to the kernel of the caller's network namespace: each is sent, and
// its answer awaited. Blocks for as long as the kernel takes. Single-threaded.
#pragma once

#include <functional>
#include <memory>

#include "netlink/message_builder.h"
#include "netlink/protocol.h"
#include "util/error.h"

struct nl_sock;
struct nlmsghdr;

namespace px::netlink {

class RequestSocket {
 public:
  using Heard = std::function<void(const nlmsghdr&)>;

  [[nodiscard]] static Expected<RequestSocket> open(Protocol protocol);

  // 0 once the kernel has acknowledged the request or ended its dump, or the errno that it
  // answered. `heard` is called with each message that comes before. EINTR: a change broke into the
  // dump, which is incomplete. ENOBUFS, EIO: the answer is lost, and the socket of no more use.
  [[nodiscard]] int request(const MessageBuilder& message, const Heard& heard = {});

 private:
  struct FreeSocket {
    void operator()(nl_sock* socket) const;
  };
  explicit RequestSocket(nl_sock* socket) : socket_(socket) {}

  std::unique_ptr<nl_sock, FreeSocket> socket_;
};

}  // namespace px::netlink
