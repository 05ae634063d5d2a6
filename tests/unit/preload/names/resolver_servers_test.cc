// SPDX-License-Identifier: MIT
#include "preload/names/resolver_servers.h"

#include <gtest/gtest.h>
#include <netinet/in.h>

#include <string>
#include <vector>

#include "tests/unit/preload/shim_values.h"

namespace px::shim {
namespace {

// A state of libc's own, whose resolver frees what stands in it.
class ResolverServers : public testing::Test {
 protected:
  ResolverServers() { EXPECT_EQ(::res_ninit(&state_), 0); }
  ~ResolverServers() override { ::res_nclose(&state_); }

  static bundle::Endpoint server(const char* text, std::uint16_t port = 53,
                                 std::uint32_t scope = 0) {
    return {.address = address(text), .port = port, .scope = scope};
  }

  std::vector<std::string> shown() const {
    std::vector<std::string> texts;
    for (int i = 0; i < state_.nscount; ++i) {
      const bool ipv4 = state_.nsaddr_list[i].sin_family == AF_INET;
      const void* place = &state_.nsaddr_list[i];
      if (!ipv4) place = state_._u._ext.nsaddrs[i];
      const auto found = bundle::endpoint_from_sockaddr(
          static_cast<const sockaddr*>(place), ipv4 ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
      std::array<char, bundle::kAddressTextSize> buffer{};
      std::string text(bundle::address_text(found->address, buffer));
      texts.push_back(text + " " + std::to_string(found->port) + " " +
                      std::to_string(found->scope));
    }
    return texts;
  }

  struct __res_state state_ {};
};

TEST_F(ResolverServers, StandWhereLibcHasItsOwn) {
  const std::vector<bundle::Endpoint> servers = {server("10.0.0.53"), server("fe80::53", 5353, 7)};
  put_servers(servers, &state_);
  EXPECT_EQ(shown(), (std::vector<std::string>{"10.0.0.53 53 0", "fe80::53 5353 7"}));
  put_servers(std::span(servers).last(1), &state_);
  EXPECT_EQ(shown(), std::vector<std::string>{"fe80::53 5353 7"});
  EXPECT_EQ(state_._u._ext.nsaddrs[1], nullptr);
}

TEST_F(ResolverServers, AreNoMoreThanThereIsRoomFor) {
  put_servers(std::vector(MAXNS + 1, server("fd00::53")), &state_);
  EXPECT_EQ(state_.nscount, MAXNS);
}

TEST_F(ResolverServers, MayBeNone) {
  put_servers({}, &state_);
  EXPECT_EQ(state_.nscount, 0);
  EXPECT_EQ(state_.nsaddr_list[0].sin_family, AF_UNSPEC);
}

}  // namespace
}  // namespace px::shim
