// SPDX-License-Identifier: MIT
// Marked packets take their route or none, whatever happens to the broker, the table or the link: a
// program sends without end, and the kernel counts what leaves by which interface.
#include <sys/wait.h>

#include <csignal>
#include <random>

#include "tests/integration/broker/routing/nft.h"
#include "tests/integration/broker/routing/routing_fixture.h"

namespace px::broker {
namespace {

constexpr int kKills = 50;
constexpr char kCounters[] = R"(
table inet count {
  counter eth0 {}
  counter eth1 {}
  chain out {
    type filter hook postrouting priority 300;
    oifname "eth0" ip daddr 203.0.113.80 counter name eth0
    oifname "eth1" ip daddr 203.0.113.80 counter name eth1
  }
}
)";

// Sends by one marked socket until it is killed; errors are what there is to be had at times.
[[noreturn]] void send_for_ever(std::uint32_t mark) {
  const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!set_socket_mark(socket.get(), mark, kMask, 0)) _exit(1);
  sockaddr_storage address{};
  const socklen_t length = bundle::sockaddr_from_endpoint({addr(kFar), 9, 0}, AF_INET, &address);
  for (;;) {
    sendto(socket.get(), "x", 1, MSG_DONTWAIT, reinterpret_cast<sockaddr*>(&address), length);
  }
}

class SteadfastTest : public RoutingTest {
 protected:
  void SetUp() override {
    RoutingTest::SetUp();
    if (IsSkipped()) return;
    ip("neighbour add 192.0.2.1 lladdr 02:00:00:00:00:01 dev eth0 nud permanent");
    ip("neighbour add 192.0.2.254 lladdr 02:00:00:00:00:02 dev eth0 nud permanent");
    neighbour();
    test::nft(kCounters);
    mark_ = put(through_eth1()).begin()->second;
    sender_ = fork();
    if (sender_ == 0) {
      routing_.reset();  // or the claim would be held as long as this process lives
      send_for_ever(mark_);
    }
    ASSERT_TRUE(flows());
  }

  void TearDown() override {
    if (sender_ > 0) {
      kill(sender_, SIGKILL);
      waitpid(sender_, nullptr, 0);
    }
    RoutingTest::TearDown();
  }

  static void neighbour() {
    ip("neighbour replace 198.51.100.1 lladdr 02:00:00:00:00:03 dev eth1 nud permanent");
  }

  static std::uint64_t left_by(const std::string& interface) {
    const std::string text = test::nft("list counter inet count " + interface);
    const std::size_t at = text.find("packets ");
    EXPECT_NE(at, std::string::npos) << text;
    return at == std::string::npos ? 0 : std::stoull(text.substr(at + 8));
  }

  // More leaves by the right interface than has already.
  static bool flows() {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    const std::uint64_t before = left_by("eth1");
    while (left_by("eth1") < before + 100) {
      if (std::chrono::steady_clock::now() > deadline) return false;
    }
    return true;
  }

  // The sender has gone round several times since; a bare socket shows when.
  void expect_none_leaves() {
    const std::uint64_t before = left_by("eth1");
    for (int i = 0; i < 200; ++i) EXPECT_EQ(source_of(mark_, kFar), kNoRoute);
    EXPECT_EQ(left_by("eth1"), before);
    EXPECT_EQ(left_by("eth0"), 0U);
  }

  std::uint32_t mark_ = 0;
  pid_t sender_ = -1;
};

// A broker whose demand changes all the time, as networks do.
[[noreturn]] void be_busy(const std::filesystem::path& directory, const RoutingDemand& always,
                          std::uint32_t other_interface) {
  auto routing = Routing::open(directory, true);
  for (int round = 0; routing; ++round) {
    RoutingDemand demand = always;
    for (int i = 0; i < round % 3; ++i) {
      demand.tables.push_back({"other " + std::to_string((round + i) % 7),
                               TableRoute{other_interface, addr("192.0.2.254"), true},
                               {}});
    }
    if (!routing->prepare(demand, kMask) || !routing->retire()) break;
  }
  _exit(1);
}

TEST_F(SteadfastTest, ABrokerKilledAtAnyMomentLeavesNothingBehindAndNoPacketAstray) {
  const RoutingState expected = in_kernel();
  routing_.reset();
  std::mt19937 random(20261121);
  for (int i = 0; i < kKills; ++i) {
    const pid_t broker = fork();
    if (broker == 0) be_busy(directory_, through_eth1(), index("eth0"));
    const auto moment =
        std::chrono::steady_clock::now() + std::chrono::microseconds(random() % 40000);
    while (std::chrono::steady_clock::now() < moment) {
    }
    kill(broker, SIGKILL);
    int status = 0;
    ASSERT_EQ(waitpid(broker, &status, 0), broker);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the broker gave up by itself";
    open();
    ASSERT_EQ(put(through_eth1()).begin()->second, mark_);
    ASSERT_EQ(in_kernel(), expected) << "after kill " << i;
    routing_.reset();
  }
  EXPECT_TRUE(flows());
  EXPECT_EQ(left_by("eth0"), 0U);
}

TEST_F(SteadfastTest, AFlushedTableStopsItsTraffic) {
  ip("route flush table " + std::to_string(kOwnTableBase + 1));
  expect_none_leaves();
  put(through_eth1());
  EXPECT_TRUE(flows());
  EXPECT_EQ(left_by("eth0"), 0U);
}

TEST_F(SteadfastTest, ALinkThatGoesDownStopsItsTraffic) {
  ip("link set eth1 down");
  expect_none_leaves();
  ip("link set eth1 up");
  neighbour();
  ASSERT_TRUE(routing_->mend());
  EXPECT_TRUE(flows());
  EXPECT_EQ(left_by("eth0"), 0U);
}

TEST_F(SteadfastTest, ALostRuleOfAMarkStopsItsTraffic) {
  ip("rule delete priority " + std::to_string(kMarkPriority));
  expect_none_leaves();
  ASSERT_TRUE(routing_->mend());
  EXPECT_TRUE(flows());
  EXPECT_EQ(left_by("eth0"), 0U);
}

}  // namespace
}  // namespace px::broker
