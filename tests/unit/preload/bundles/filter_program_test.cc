// SPDX-License-Identifier: MIT
// On datagram sockets: the kernel runs the same filter there, for everybody.
#include "preload/bundles/filter_program.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "tests/unit/preload/shim_plan_fixture.h"

namespace px::shim {
namespace {

class FilterProgramTest : public testing::Test {
 protected:
  FilterProgramTest() {
    const int off = 0;
    ::setsockopt(receiver_, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    sockaddr_in6 any{};
    any.sin6_family = AF_INET6;
    EXPECT_EQ(::bind(receiver_, reinterpret_cast<sockaddr*>(&any), sizeof any), 0);
    socklen_t length = sizeof any;
    ::getsockname(receiver_, reinterpret_cast<sockaddr*>(&any), &length);
    port_ = ntohs(any.sin6_port);
  }
  ~FilterProgramTest() override {
    ::close(receiver_);
    ::close(sender_);
  }

  void attach(const std::vector<std::string>& members) {
    bundle::Bundle set;
    for (const auto& member : members) set.endpoints[set.count++].address = address(member);
    const FilterProgram filter(set);
    const sock_fprog program{.len = static_cast<unsigned short>(filter.program().size()),
                             .filter = const_cast<sock_filter*>(filter.program().data())};
    ASSERT_EQ(::setsockopt(receiver_, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program), 0);
  }

  // On loopback a datagram has arrived when it is sent.
  bool arrives(const std::string& destination) const {
    sockaddr_storage storage;
    const socklen_t length = bundle::sockaddr_from_endpoint(
        {.address = address(destination), .port = port_}, AF_INET6, &storage);
    EXPECT_EQ(::sendto(sender_, "x", 1, 0, reinterpret_cast<const sockaddr*>(&storage), length), 1)
        << destination;
    char data;
    return ::recv(receiver_, &data, 1, MSG_DONTWAIT) == 1;
  }

  int receiver_ = ::socket(AF_INET6, SOCK_DGRAM, 0);
  int sender_ = ::socket(AF_INET6, SOCK_DGRAM, 0);
  std::uint16_t port_ = 0;
};

TEST_F(FilterProgramTest, LetsThroughWhatIsSentToTheSet) {
  attach({"127.0.0.2", "::1", "127.0.0.4"});
  EXPECT_TRUE(arrives("127.0.0.2"));
  EXPECT_TRUE(arrives("127.0.0.4"));
  EXPECT_TRUE(arrives("::1"));
  EXPECT_FALSE(arrives("127.0.0.1"));
  EXPECT_FALSE(arrives("127.0.0.3"));
}

TEST_F(FilterProgramTest, KeepsFamiliesApart) {
  attach({"127.0.0.2", "127.0.0.3"});
  EXPECT_FALSE(arrives("::1"));
  attach({"fd00::1", "::1"});
  EXPECT_TRUE(arrives("::1"));
  EXPECT_FALSE(arrives("127.0.0.2"));
}

TEST_F(FilterProgramTest, LooksAtEveryByte) {
  for (const char* other : {"1::1", "0:0:0:1::1", "0:0:0:0:0:1:0:1", "::2", "0:0:8000::1"}) {
    attach({other, "127.0.0.2"});
    EXPECT_FALSE(arrives("::1")) << other;
  }
}

TEST_F(FilterProgramTest, AWildcardStandsForItsFamily) {
  attach({"0.0.0.0", "fd00::1"});
  EXPECT_TRUE(arrives("127.0.0.7"));
  EXPECT_FALSE(arrives("::1"));
  attach({"::", "127.0.0.2"});
  EXPECT_TRUE(arrives("127.0.0.7"));
  EXPECT_TRUE(arrives("::1"));
}

TEST_F(FilterProgramTest, TakesTheLongestSets) {
  std::vector<std::string> ipv4;
  std::vector<std::string> ipv6;
  for (std::size_t i = 1; i <= bundle::kMostMembers; ++i) {
    ipv4.push_back("127.0.0." + std::to_string(i));
    ipv6.push_back("fd00::" + std::to_string(i));
  }
  attach(ipv4);
  EXPECT_TRUE(arrives("127.0.0.16"));
  EXPECT_FALSE(arrives("127.0.0.17"));
  ipv6.back() = "::1";
  attach(ipv6);
  EXPECT_TRUE(arrives("::1"));
  EXPECT_FALSE(arrives("127.0.0.1"));
}

}  // namespace
}  // namespace px::shim
