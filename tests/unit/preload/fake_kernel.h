// SPDX-License-Identifier: MIT
// A kernel with one socket, which records what it is asked to do; a socket that is made besides is
// `kOther`, about which it records alone. One at a time, one thread.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <array>
#include <cerrno>
#include <map>
#include <string>
#include <vector>

#include "libbundle/core/address.h"
#include "preload/process/system_calls.h"

namespace px::shim {

// Each call succeeds unless it was told otherwise.
struct FakeKernel {
  FakeKernel() { here = this; }
  ~FakeKernel() { here = nullptr; }

  int result(const std::string& call) {
    calls.push_back(call);
    auto& planned = errors[call];
    if (planned.empty()) return 0;
    const int error = planned.front();
    planned.erase(planned.begin());
    if (error == 0) return 0;
    errno = error;
    return -1;
  }

  static std::string text(const sockaddr* address, socklen_t length) {
    if (address->sa_family == AF_UNSPEC) return "nothing";
    const auto endpoint = bundle::endpoint_from_sockaddr(address, length);
    std::array<char, bundle::kAddressTextSize> buffer;
    std::string text(bundle::address_text(endpoint->address, buffer));
    if (endpoint->scope != 0) text += "%" + std::to_string(endpoint->scope);
    return (address->sa_family == AF_INET6 ? "[" + text + "]:" : text + ":") +
           std::to_string(endpoint->port);
  }
  static int socket(int domain, int type, int) {
    EXPECT_EQ(type, SOCK_DGRAM | SOCK_CLOEXEC);
    return here->result(domain == AF_INET6 ? "socket 6" : "socket 4") == 0 ? kOther : -1;
  }
  static int close(int) { return here->result("close"); }
  static std::string of(int fd, const std::string& call) {
    return fd == kOther ? "other: " + call : call;
  }
  static int connect(int fd, const sockaddr* address, socklen_t length) {
    const int result = here->result(of(fd, "connect " + text(address, length)));
    if (fd == kOther) return result;
    // As of Linux: dissolving a datagram socket takes its device away, too.
    if (result == 0 && address->sa_family == AF_UNSPEC) {
      here->device.clear();
      here->connected = false;
    }
    return result;
  }
  static int bind(int fd, const sockaddr* address, socklen_t length) {
    return here->result(of(fd, "bind " + text(address, length)));
  }
  static int setsockopt(int fd, int level, int name, const void* value, socklen_t) {
    if (level == IPPROTO_IP && name == IP_BIND_ADDRESS_NO_PORT) {
      here->no_port = *static_cast<const int*>(value) != 0;
      return here->result(here->no_port ? "no port" : "port");
    }
    if (level == IPPROTO_IP && name == IP_PKTINFO) return here->result("pktinfo 4");
    if (level == IPPROTO_IPV6 && name == IPV6_RECVPKTINFO) return here->result("pktinfo 6");
    EXPECT_EQ(level, SOL_SOCKET);
    if (name == SO_BINDTOIFINDEX) {
      return here->result("interface " + std::to_string(*static_cast<const int*>(value)));
    }
    EXPECT_EQ(name, SO_BINDTODEVICE);
    const std::string device = static_cast<const char*>(value);
    const int result = here->result(of(fd, "device " + device));
    if (result == 0 && fd != kOther) here->device = device;
    return result;
  }
  static int getsockopt(int, int level, int name, void* value, socklen_t* length) {
    if (level == IPPROTO_TCP && name == TCP_INFO) {
      *static_cast<std::uint8_t*>(value) = here->tcp_state;
      return here->result("state?");
    }
    if (level == SOL_SOCKET && name == SO_BINDTODEVICE) {
      *length =
          static_cast<socklen_t>(here->device.copy(static_cast<char*>(value), here->device.size()));
      return here->result("device?");
    }
    if (level == IPPROTO_IP && name == IP_BIND_ADDRESS_NO_PORT) {
      *static_cast<int*>(value) = here->no_port;
      return 0;
    }
    const std::map<int, int> answers = {{SO_DOMAIN, here->domain},
                                        {SO_TYPE, here->type},
                                        {SO_PROTOCOL, here->protocol},
                                        {SO_MARK, static_cast<int>(here->mark)}};
    const auto answer = answers.find(name);
    *static_cast<int*>(value) = level == SOL_SOCKET && answer != answers.end() ? answer->second : 0;
    return 0;
  }
  static int getsockname(int, sockaddr* address, socklen_t* length) {
    const auto family = static_cast<sa_family_t>(here->domain);
    *length = bundle::sockaddr_from_endpoint(here->bound, family,
                                             reinterpret_cast<sockaddr_storage*>(address));
    return here->result("name?");
  }
  static int getpeername(int, sockaddr* address, socklen_t* length) {
    if (here->connected) {
      const auto family = static_cast<sa_family_t>(here->domain);
      *length = bundle::sockaddr_from_endpoint(here->peer, family,
                                               reinterpret_cast<sockaddr_storage*>(address));
      return 0;
    }
    errno = ENOTCONN;
    return -1;
  }

  static constexpr int kOther = 99;
  static inline FakeKernel* here = nullptr;
  std::vector<std::string> calls;
  std::map<std::string, std::vector<int>> errors;
  int domain = AF_INET;
  int type = SOCK_STREAM;
  int protocol = IPPROTO_TCP;
  std::uint8_t tcp_state = TCP_CLOSE;
  std::string device;
  std::uint32_t mark = 0;
  bundle::Endpoint bound{.address = bundle::ipv4_address(0)};
  bool connected = false;
  bool no_port = false;  // IP_BIND_ADDRESS_NO_PORT
  bundle::Endpoint peer{.address = bundle::ipv4_address(0xc6336401), .port = 443};
};

inline constexpr SystemCalls kFakeCalls = {
    .connect = &FakeKernel::connect,
    .bind = &FakeKernel::bind,
    .setsockopt = &FakeKernel::setsockopt,
    .getsockopt = &FakeKernel::getsockopt,
    .getsockname = &FakeKernel::getsockname,
    .getpeername = &FakeKernel::getpeername,
    .socket = &FakeKernel::socket,
    .close = &FakeKernel::close,
};

}  // namespace px::shim
