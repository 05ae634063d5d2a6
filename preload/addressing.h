// SPDX-License-Identifier: MIT
// The interposed connect and bind: where px has nothing to do, the address goes to libc unseen;
// else it is read once, and passed on to what it concerns. Holds nothing but references. Callable
// from any thread and from signal handlers; results and errno as in libc.
#pragma once

#include <sys/socket.h>

#include "preload/bundles/binding.h"
#include "preload/bundles/connecting.h"
#include "preload/datagrams/datagrams.h"
#include "preload/datagrams/receiving.h"
#include "preload/datagrams/redirecting.h"
#include "preload/process/symbols.h"
#include "preload/session/current_plan.h"
#include "preload/sockets/call_address.h"
#include "preload/sockets/fd_table.h"
#include "preload/streams/connector.h"
#include "preload/streams/tcp_compatibility.h"

namespace px::shim {

class Addressing {
 public:
  constexpr Addressing(const Symbols& libc, FdTable& fds, const CurrentPlan& plan,
                       Connector& connector, BundleConnecting& connecting, BundleBinding& binding,
                       const Datagrams& datagrams, Receiving& receiving, Redirecting& redirecting,
                       const TcpCompatibility& tcp)
      : libc_(libc),
        fds_(fds),
        plan_(plan),
        connector_(connector),
        connecting_(connecting),
        binding_(binding),
        datagrams_(datagrams),
        receiving_(receiving),
        redirecting_(redirecting),
        tcp_(tcp) {}

  int connect(int fd, const sockaddr* address, socklen_t length);
  // The same of an address that was read.
  int connect_to(int fd, const CallAddress& destination);
  int bind(int fd, const sockaddr* address, socklen_t length);

 private:
  // Whether there is something to do before the kernel connects the socket, wherever to.
  [[nodiscard]] bool looks_before_connect(int fd) const;
  // Whether the failure may mean that the address is a bundle, which the kernel does not know.
  [[nodiscard]] bool may_be_of_bundle(int result) const;
  // As the connector's: by what the peer has called, else by the rules.
  [[nodiscard]] bool prepare(int fd, const CallAddress& destination);
  // To there and nowhere else.
  int connect_at(int fd, const CallAddress& destination);
  // connect(2)'s result, after what is to be done behind it.
  int connected(int result, int fd, sa_family_t family);

  const Symbols& libc_;
  FdTable& fds_;
  const CurrentPlan& plan_;
  Connector& connector_;
  BundleConnecting& connecting_;
  BundleBinding& binding_;
  const Datagrams& datagrams_;
  Receiving& receiving_;
  Redirecting& redirecting_;
  const TcpCompatibility& tcp_;
};

}  // namespace px::shim
