// SPDX-License-Identifier: MIT
#include "broker/routing/sctp_socket.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>

#include "tests/unit/broker/host/host_fixture.h"
#include "util/fd.h"

namespace px::broker {
namespace {

using test::addr;

// As Linux 6.1 wrote it.
constexpr char kAssociations[] =
    " ASSOC     SOCK   STY SST ST HBKT ASSOC-ID TX_QUEUE RX_QUEUE UID INODE LPORT RPORT LADDRS <-> "
    "RADDRS HBINT INS OUTS MAXRT T1X T2X RTXC wmema wmemq sndbuf rcvbuf\n"
    "4e47b655 c475b997 2   1   3  0       3        0        0       0   296 5001   7000  10.1.0.1 "
    "10.2.0.1 <-> *10.20.0.1 10.20.0.2 fd20:0000:0000:0000:0000:0000:0000:0001 \t    3000    10    "
    "10   10    0    0        0        1        0   212992   212992\n"
    "4e47b655 c475b998 2   1   3  0       3        0        0       0   297 5002   7000  10.1.0.1 "
    "<-> *10.20.0.9 \t    3000    10    10   10    0    0        0        1        0   212992   "
    "212992\n";

bool in_use(std::uint16_t port, const char* source) {
  return SctpPorts(kAssociations).in_use(port, std::array{bundle::Endpoint{addr(source)}});
}

TEST(SctpPorts, AnAssociationWithAnyOfTheSourcesUsesThePort) {
  EXPECT_TRUE(in_use(5001, "10.1.0.1"));
  EXPECT_TRUE(in_use(5001, "10.2.0.1"));
  EXPECT_TRUE(in_use(5002, "10.1.0.1"));
}

TEST(SctpPorts, SomebodyElsesAssociationDoesNot) {
  EXPECT_FALSE(in_use(5002, "10.2.0.1")) << "from another address";
  EXPECT_FALSE(in_use(5001, "10.20.0.1")) << "a peer's address";
  EXPECT_FALSE(in_use(5003, "10.1.0.1"));
}

TEST(SctpPorts, AnyTextIsSafe) {
  for (const char* text : {"", "\n\n", "<-> <-> <->", " 1 2 3 4 5 6 7 8 9 10 11 5001",
                           "1 2 3 4 5 6 7 8 9 10 11 99999999 13 <-> * **"}) {
    (void)SctpPorts(text).in_use(9, {});
  }
}

TEST(SctpSocket, OthersAreNone) {
  const Fd tcp(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_FALSE(is_sctp(tcp.get()));
  EXPECT_FALSE(is_sctp(-1));
  EXPECT_EQ(port_of(tcp.get()), 0);
  ASSERT_TRUE(bind_source(tcp.get(), {.address = addr("127.0.0.1")}));
  EXPECT_NE(port_of(tcp.get()), 0);
  EXPECT_FALSE(bind_source(tcp.get(), {.address = addr("127.0.0.2")})) << "bound already";
}

TEST(SctpSocket, TheUnsteeredSourceOfLoopbackIsLoopback) {
  EXPECT_EQ(unsteered_source({.address = addr("127.0.0.1"), .port = 80}), addr("127.0.0.1"));
}

}  // namespace
}  // namespace px::broker
