// SPDX-License-Identifier: MIT
#include "broker/services/sctp_port_routes.h"

#include <gmock/gmock.h>

#include "tests/unit/broker/services/services_fixture.h"

namespace px::broker {
namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;
using testing::SizeIs;

class SctpPortRoutesTest : public test::ServicesTest {
 protected:
  // A line of /proc/net/sctp/assocs for each port.
  SctpPorts ports_in_use() const {
    std::string lines;
    for (const std::uint16_t port : used) {
      lines += "0 0 2 1 3 0 7 1 0 0 0 " + std::to_string(port) +
               " 3000 192.0.2.5 <-> *203.0.113.1 \t 7500 1 1 10 0 0 0 0\n";
    }
    return SctpPorts(lines);
  }
  static std::vector<PortRoute> left_of(std::uint16_t port) {
    const auto source = *bundle::address_from_text("192.0.2.5");
    return {{port, bundle::address_from_text("203.0.113.1"), Egress{"eth0", source, std::nullopt}}};
  }
  std::vector<PortRoute> routed() const {
    return routes.demand(in_force.policy, in_force.snapshot).ports;
  }

  std::vector<std::uint16_t> used;
  SctpPortRoutes routes{context,
                        in_force,
                        routing,
                        {.read_ports = [this] { return ports_in_use(); }, .interval = 1ms}};
};

TEST_F(SctpPortRoutesTest, GoesOnWithAnEarlierBrokersPortsThatAreInUse) {
  used = {1234};
  auto left = left_of(1234);
  left.push_back(left_of(1235).front());
  routes.take_over(left);
  ASSERT_THAT(routed(), SizeIs(1));
  EXPECT_EQ(routed().front().port, 1234);
}

TEST_F(SctpPortRoutesTest, ForgetsAPortOnceNobodyUsesIt) {
  used = {1234};
  routes.take_over(left_of(1234));
  EXPECT_EQ(context.run_one(), 1u);
  EXPECT_THAT(routed(), SizeIs(1)) << "it is in use";
  used.clear();
  context.run();
  EXPECT_THAT(routed(), IsEmpty()) << "and nothing is waited for any more";
}

TEST_F(SctpPortRoutesTest, WithoutPortsNothingIsWaitedFor) {
  routes.take_over({});
  EXPECT_EQ(context.run(), 0u);
}

TEST_F(SctpPortRoutesTest, ASocketThatCannotBeBoundGetsNoRoutes) {
  const auto given =
      routes.give(getuid(), {}, {.bound = false, .port = 1234}, "it is bound already");
  ASSERT_FALSE(given);
  EXPECT_EQ(given.error().message, "it is bound already");
  EXPECT_THAT(routed(), IsEmpty());
}

}  // namespace
}  // namespace px::broker
