// SPDX-License-Identifier: MIT
// On real sockets of the loopback interface.
#include "preload/sockets/kernel_socket.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace px::shim {
namespace {

class Socket {
 public:
  explicit Socket(int domain, int type, int protocol = 0)
      : fd_(::socket(domain, type | SOCK_CLOEXEC, protocol)) {}
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() { ::close(fd_); }
  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] FdState ask() const { return ask_kernel(kBareSystemCalls, fd_, 0); }

  [[nodiscard]] bool bind(std::uint32_t address) const {
    const sockaddr_in in = sockaddr_of(address, 0);
    return ::bind(fd_, reinterpret_cast<const sockaddr*>(&in), sizeof in) == 0;
  }
  [[nodiscard]] bool connect(std::uint32_t address) const {
    const sockaddr_in in = sockaddr_of(address, 9);
    return ::connect(fd_, reinterpret_cast<const sockaddr*>(&in), sizeof in) == 0;
  }

 private:
  static sockaddr_in sockaddr_of(std::uint32_t address, std::uint16_t port) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(port);
    in.sin_addr.s_addr = htonl(address);
    return in;
  }
  int fd_;
};

TEST(KernelSocket, KnowsAFreshSocketAsTheTableWould) {
  for (const int domain : {AF_INET, AF_INET6}) {
    for (const int type : {SOCK_STREAM, SOCK_DGRAM}) {
      EXPECT_EQ(Socket(domain, type).ask(), fresh_socket(domain, type, 0));
    }
  }
}

TEST(KernelSocket, DoesNotTakeAFiltersAnswerForTheKernels) {
  SystemCalls filtered = kBareSystemCalls;
  for (const int error : {EPERM, EACCES, ENOSYS, EINVAL}) {
    static int answer;
    answer = error;
    filtered.getsockopt = [](int, int, int, void*, socklen_t*) {
      errno = answer;
      return -1;
    };
    const Socket socket(AF_INET, SOCK_STREAM);
    EXPECT_EQ(ask_kernel(filtered, socket.fd(), 0).kind, FdKind::kUnknown);
  }
}

TEST(KernelSocket, LeavesWhatIsNoInternetSocketAlone) {
  EXPECT_EQ(Socket(AF_UNIX, SOCK_STREAM).ask().kind, FdKind::kForeign);
  EXPECT_EQ(ask_kernel(kBareSystemCalls, -1, 0).kind, FdKind::kForeign);
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  EXPECT_EQ(ask_kernel(kBareSystemCalls, pipe[0], 0).kind, FdKind::kForeign);
  ::close(pipe[0]);
  ::close(pipe[1]);
}

TEST(KernelSocket, SeesWhatTheProgramBound) {
  const Socket own(AF_INET, SOCK_STREAM);
  ASSERT_TRUE(own.bind(INADDR_LOOPBACK));
  EXPECT_EQ(own.ask().kind, FdKind::kOwned);
  const Socket port(AF_INET, SOCK_STREAM);
  ASSERT_TRUE(port.bind(INADDR_ANY));
  EXPECT_EQ(port.ask().kind, FdKind::kPortBound);
}

TEST(KernelSocket, SeesADevice) {
  const Socket socket(AF_INET, SOCK_STREAM);
  ASSERT_EQ(::setsockopt(socket.fd(), SOL_SOCKET, SO_BINDTODEVICE, "lo", 2), 0);
  EXPECT_EQ(socket.ask().kind, FdKind::kOwned);
}

TEST(KernelSocket, SeesAnOutgoingInterfaceOfDatagrams) {
  const std::uint32_t loopback = htonl(1);
  const Socket socket(AF_INET, SOCK_DGRAM);
  ASSERT_EQ(::setsockopt(socket.fd(), IPPROTO_IP, IP_UNICAST_IF, &loopback, sizeof loopback), 0);
  EXPECT_EQ(socket.ask().kind, FdKind::kOwned);
}

TEST(KernelSocket, TellsTheSystemsSourceFromTheProgramsByDissolving) {
  const Socket system(AF_INET, SOCK_DGRAM);
  ASSERT_TRUE(system.connect(INADDR_LOOPBACK));
  EXPECT_EQ(system.ask().kind, FdKind::kFresh);
  EXPECT_FALSE(system.bind(INADDR_LOOPBACK)) << "this is why";
  dissolve(kBareSystemCalls, system.fd());
  EXPECT_EQ(system.ask().kind, FdKind::kFresh);
  EXPECT_TRUE(system.bind(INADDR_LOOPBACK));

  const Socket own(AF_INET, SOCK_DGRAM);
  ASSERT_TRUE(own.bind(INADDR_LOOPBACK));
  ASSERT_TRUE(own.connect(INADDR_LOOPBACK));
  dissolve(kBareSystemCalls, own.fd());
  EXPECT_EQ(own.ask().kind, FdKind::kOwned);
}

// Linux keeps the source of a datagram socket that was bound to one before, whoever chose it.
TEST(KernelSocket, KnowsASourceThatPxHasBoundBefore) {
  const int on = 1;
  const Socket socket(AF_INET, SOCK_DGRAM);
  ASSERT_EQ(::setsockopt(socket.fd(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on), 0);
  ASSERT_TRUE(socket.bind(INADDR_LOOPBACK));
  EXPECT_EQ(socket.ask().kind, FdKind::kReleased);
  ASSERT_TRUE(socket.connect(INADDR_LOOPBACK));
  EXPECT_EQ(socket.ask().kind, FdKind::kReleased);
  dissolve(kBareSystemCalls, socket.fd());
  EXPECT_FALSE(own_endpoint(kBareSystemCalls, socket.fd())->address.is_unspecified());
  EXPECT_EQ(socket.ask().kind, FdKind::kReleased);
}

TEST(KernelSocket, TellsWhetherAStreamIsConnecting) {
  const Socket listener(AF_INET, SOCK_STREAM);
  ASSERT_TRUE(listener.bind(INADDR_LOOPBACK));
  ASSERT_EQ(::listen(listener.fd(), 1), 0);
  const Socket client(AF_INET, SOCK_STREAM);
  EXPECT_TRUE(tcp_is_closed(kBareSystemCalls, client.fd()));
  sockaddr_in address{};
  socklen_t length = sizeof address;
  ASSERT_EQ(::getsockname(listener.fd(), reinterpret_cast<sockaddr*>(&address), &length), 0);
  ASSERT_EQ(::connect(client.fd(), reinterpret_cast<sockaddr*>(&address), length), 0);
  EXPECT_FALSE(tcp_is_closed(kBareSystemCalls, client.fd()));
}

}  // namespace
}  // namespace px::shim
