// SPDX-License-Identifier: MIT
// A server whose answers leave by the interface that called (PX-5), on a real kernel.
//
//                    eth0 192.0.2.10, 2001:db8::10                .1, ::1
//   +-----------+------------------------------------------------+------+
//   | server    |  the default route                             | peer | 203.0.113.7
//   | (we)      |  eth1 198.51.100.10, 2001:db8:1::10    .1, ::1 |      | 2001:db8:80::7
//   +-----------+------------------------------------------------+------+
#include <fcntl.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <array>
#include <csignal>
#include <cstring>

#include "broker/routing/program_socket.h"
#include "broker/routing/routing.h"
#include "tests/integration/broker/routing/nft.h"
#include "tests/integration/support/network_namespace.h"
#include "util/fd.h"

namespace px::broker {
namespace {

constexpr std::uint32_t kMask = 0xff000000;
constexpr std::uint16_t kPort = 4000;
constexpr std::size_t kAnswer = 200000;

bool ip(const std::string& arguments) {
  return test::run_program("ip " + arguments);
}

bundle::Address addr(const std::string& text) {
  return bundle::address_from_text(text).value();
}

void no_source_filter() {
  for (const char* which : {"all", "default"}) {
    std::ofstream(std::string("/proc/sys/net/ipv4/conf/") + which + "/rp_filter") << "0\n";
  }
}

// Behind px's own chain.
constexpr char kCounters[] = R"(
table inet count {
  counter eth0 {}
  counter eth1 {}
  chain out {
    type filter hook postrouting priority 300;
    oifname "eth0" meta l4proto tcp counter name eth0
    oifname "eth1" meta l4proto tcp counter name eth1
  }
}
)";

// TCP packets that left by the interface since the last reset.
bool any_left_by(const std::string& interface) {
  return test::nft("list counter inet count " + interface).find("packets 0 ") == std::string::npos;
}

void reset_counters() {
  test::nft("reset counters table inet count");
}

// One call from the peer's own address; whether the whole answer came.
bool call(const std::string& destination) {
  const bool ipv4 = addr(destination).is_ipv4();
  const sa_family_t family = ipv4 ? AF_INET : AF_INET6;
  sockaddr_storage address{};
  const Fd socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval deadline{10, 0};
  setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof deadline);
  setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &deadline, sizeof deadline);
  socklen_t length = bundle::sockaddr_from_endpoint(
      {addr(ipv4 ? "203.0.113.7" : "2001:db8:80::7"), 0, 0}, family, &address);
  if (bind(socket.get(), reinterpret_cast<sockaddr*>(&address), length) != 0) return false;
  length = bundle::sockaddr_from_endpoint({addr(destination), kPort, 0}, family, &address);
  if (connect(socket.get(), reinterpret_cast<sockaddr*>(&address), length) != 0) return false;
  shutdown(socket.get(), SHUT_WR);
  std::size_t got = 0;
  std::array<char, 4096> buffer{};
  for (ssize_t piece = 0; (piece = recv(socket.get(), buffer.data(), buffer.size(), 0)) > 0;) {
    got += static_cast<std::size_t>(piece);
  }
  return got == kAnswer;
}

// Accepts for ever.
[[noreturn]] void serve(int listener) {
  const std::string answer(kAnswer, 'x');
  for (;;) {
    const Fd connection(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
    std::size_t sent = 0;
    while (connection && sent < answer.size()) {
      const ssize_t piece =
          send(connection.get(), answer.data() + sent, answer.size() - sent, MSG_NOSIGNAL);
      if (piece <= 0) break;
      sent += static_cast<std::size_t>(piece);
    }
    shutdown(connection.get(), SHUT_WR);
    char end = 0;
    while (recv(connection.get(), &end, 1, 0) > 0) {
    }
  }
}

// Each line "DESTINATION VIA INTERFACE": goes by it, calls, says whether it was answered.
[[noreturn]] void be_peer(int orders, int answers) {
  const bool entered = test::enter_new_network_namespace().empty();
  if (write(answers, entered ? "y" : "n", 1) != 1) _exit(1);
  std::array<char, 256> order{};
  if (read(orders, order.data(), order.size()) <= 0) _exit(1);  // the links are here
  no_source_filter();
  bool good = ip("link set lo up") && ip("address add 203.0.113.7/32 dev lo") &&
              ip("address add 2001:db8:80::7/128 dev lo");
  for (const auto& [interface, network, network6] :
       {std::array{"eth0-peer", "192.0.2", "2001:db8:"},
        std::array{"eth1-peer", "198.51.100", "2001:db8:1:"}}) {
    const std::string device = std::string(" dev ") + interface;
    good = good && ip("link set up" + device) &&
           ip("address add " + std::string(network) + ".1/24" + device) &&
           ip("address add " + std::string(network6) + ":1/64" + device + " nodad");
  }
  if (write(answers, good ? "y" : "n", 1) != 1) _exit(1);
  for (;;) {
    order = {};
    if (read(orders, order.data(), order.size() - 1) <= 0) _exit(0);
    std::istringstream words(order.data());
    std::string destination, via, interface;
    words >> destination >> via >> interface;
    const std::string route = destination + (destination == via ? "" : " via " + via);
    good = ip("route replace " + route + " dev " + interface) && call(destination);
    if (write(answers, good ? "y" : "n", 1) != 1) _exit(0);
  }
}

class ReceivedTest : public testing::Test {
 protected:
  void SetUp() override {
    const std::string missing = test::enter_new_network_namespace();
    if (!missing.empty()) GTEST_SKIP() << missing;
    std::string pattern = testing::TempDir() + "px-received-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
    no_source_filter();
    start_peer();
    ASSERT_TRUE(ip("link set lo up"));
    for (const auto& [interface, network, network6] :
         {std::array{"eth0", "192.0.2", "2001:db8:"},
          std::array{"eth1", "198.51.100", "2001:db8:1:"}}) {
      const std::string device = std::string(" dev ") + interface;
      ASSERT_TRUE(ip("link add " + std::string(interface) + " type veth peer name " + interface +
                     "-peer netns " + std::to_string(peer_)));
      ASSERT_TRUE(ip("link set up" + device));
      ASSERT_TRUE(ip("address add " + std::string(network) + ".10/24" + device));
      ASSERT_TRUE(ip("address add " + std::string(network6) + ":10/64" + device + " nodad"));
    }
    ASSERT_TRUE(ip("route add default via 192.0.2.1 dev eth0"));
    ASSERT_TRUE(ip("route add ::/0 via 2001:db8::1 dev eth0"));
    test::nft(kCounters);
    ASSERT_TRUE(order("links"));
  }

  void TearDown() override {
    for (const pid_t child : {peer_, server_}) {
      if (child <= 0) continue;
      kill(child, SIGKILL);
      waitpid(child, nullptr, 0);
    }
    if (!directory_.empty()) std::filesystem::remove_all(directory_);
  }

  void start_peer() {
    int orders[2];
    int answers[2];
    ASSERT_EQ(pipe2(orders, O_CLOEXEC), 0);
    ASSERT_EQ(pipe2(answers, O_CLOEXEC), 0);
    peer_ = fork();
    if (peer_ == 0) be_peer(orders[0], answers[1]);
    close(orders[0]);
    close(answers[1]);
    orders_.reset(orders[1]);
    answers_.reset(answers[0]);
    ASSERT_TRUE(answered());
  }

  [[nodiscard]] bool answered() const {
    char answer = 0;
    return read(answers_.get(), &answer, 1) == 1 && answer == 'y';
  }

  [[nodiscard]] bool order(const std::string& text) const {
    return write(orders_.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
           answered();
  }

  void start_server(std::uint32_t mark) {
    const Fd socket(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_TRUE(set_socket_mark(socket.get(), mark, kMask, 0));
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(kPort);
    ASSERT_EQ(bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(listen(socket.get(), 16), 0);
    server_ = fork();
    if (server_ == 0) serve(socket.get());
  }

  static RoutingDemand demand() {
    RoutingDemand demand;
    for (const auto& [interface, router, router6] :
         {std::array{"eth0", "192.0.2.1", "2001:db8::1"},
          std::array{"eth1", "198.51.100.1", "2001:db8:1::1"}}) {
      const std::uint32_t index = if_nametoindex(interface);
      demand.tables.push_back({std::string("received ") + interface,
                               TableRoute{index, addr(router), true},
                               TableRoute{index, addr(router6), true}});
      demand.received.emplace(index, demand.tables.back().key);
    }
    return demand;
  }

  std::filesystem::path directory_;
  pid_t peer_ = -1;
  pid_t server_ = -1;
  Fd orders_;
  Fd answers_;
};

struct Call {
  const char* destination;
  const char* via;
  const char* came_by;
  const char* other;
};

// Each address over each network, so that the called address may be the other interface's.
constexpr Call kCalls[] = {
    {"192.0.2.10", "192.0.2.10", "eth0", "eth1"},
    {"192.0.2.10", "198.51.100.10", "eth1", "eth0"},
    {"198.51.100.10", "198.51.100.10", "eth1", "eth0"},
    {"198.51.100.10", "192.0.2.10", "eth0", "eth1"},
    {"2001:db8::10", "2001:db8::10", "eth0", "eth1"},
    {"2001:db8::10", "2001:db8:1::10", "eth1", "eth0"},
    {"2001:db8:1::10", "2001:db8:1::10", "eth1", "eth0"},
    {"2001:db8:1::10", "2001:db8::10", "eth0", "eth1"},
};

std::string text_of(const Call& call) {
  return std::string(call.destination) + " " + call.via + " " + call.came_by + "-peer";
}

TEST_F(ReceivedTest, ABareServerAnswersByTheDefaultRoute) {
  start_server(0);
  for (const Call& call : kCalls) {
    reset_counters();
    EXPECT_TRUE(order(text_of(call))) << text_of(call);
    EXPECT_TRUE(any_left_by("eth0")) << text_of(call);
    EXPECT_FALSE(any_left_by("eth1")) << text_of(call);
  }
}

TEST_F(ReceivedTest, EveryPacketOfAnAnswerLeavesByTheInterfaceThatCalled) {
  auto routing = Routing::open(directory_, true);
  ASSERT_TRUE(routing);
  const auto marks = routing->prepare(demand(), kMask);
  ASSERT_TRUE(marks) << marks.error().message;
  ASSERT_TRUE(routing->retire());
  start_server(marks->at(kReceivedKey));
  for (const Call& call : kCalls) {
    reset_counters();
    EXPECT_TRUE(order(text_of(call))) << text_of(call);
    EXPECT_TRUE(any_left_by(call.came_by)) << text_of(call);
    EXPECT_FALSE(any_left_by(call.other)) << text_of(call);
  }
}

}  // namespace
}  // namespace px::broker
