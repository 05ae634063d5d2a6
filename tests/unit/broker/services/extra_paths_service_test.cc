// SPDX-License-Identifier: MIT
#include "broker/services/extra_paths_service.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "broker/mptcp/subflows.h"
#include "broker/services/sctp_port_routes.h"
#include "tests/unit/broker/services/services_fixture.h"

namespace px::broker {
namespace {

using test::reason_of;

class ExtraPathsServiceTest : public test::ServicesTest {
 protected:
  ExtraPathsServiceTest() {
    service.register_with(dispatcher);
    publish("profiles: { work: }");
    message = plan::make<plan::ExtraPaths>();
    message.port = 443;
    message.count = 1;
    message.members[0].address = *bundle::address_from_text("192.0.2.7");
  }

  std::string why_not(const Fd& socket) {
    return reason_of(send(message, socket), plan::RefusalCode::kNoExtraPaths);
  }
  static Fd socket_of(int type, int protocol) {
    return Fd(::socket(AF_INET, type | SOCK_CLOEXEC, protocol));
  }

  plan::ExtraPaths message;
  MptcpSubflows subflows{context, MptcpPathManager(directory, false),
                         [](const std::string&, const bundle::Endpoint&) { return std::nullopt; }};
  SctpPortRoutes port_routes{context, in_force, routing};
  ExtraPathsService service{
      {publisher, sessions, routing, subflows, port_routes, NetworkNamespace(0)}};
};

TEST_F(ExtraPathsServiceTest, OnlyAProgramThatHasSaidHelloGetsThem) {
  const Fd socket = socket_of(SOCK_STREAM, 0);
  EXPECT_EQ(reason_of(send(message, socket), plan::RefusalCode::kNotAllowed),
            "the process has not said hello");
  say_hello("gone");
  EXPECT_EQ(reason_of(send(message, socket), plan::RefusalCode::kNotAllowed),
            "the process has not said hello");
}

TEST_F(ExtraPathsServiceTest, OnlyASocketOfSeveralPathsGetsThem) {
  say_hello("work");
  EXPECT_EQ(why_not(socket_of(SOCK_STREAM, 0)), "the socket is of no protocol with several paths");
  EXPECT_EQ(why_not(socket_of(SOCK_DGRAM, 0)), "the socket is of no protocol with several paths");
  EXPECT_EQ(why_not(Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC))),
            "what came with the request is no socket");
  EXPECT_TRUE(send(message).packets.empty());
}

TEST_F(ExtraPathsServiceTest, MptcpIsForThePolicyToAllow) {
  const Fd socket = socket_of(SOCK_STREAM, IPPROTO_MPTCP);
  if (!socket) GTEST_SKIP() << "this kernel has no MPTCP";
  say_hello("work");
  EXPECT_EQ(why_not(socket), "the policy's profiles have no 'mptcp' in their transports");
}

}  // namespace
}  // namespace px::broker
