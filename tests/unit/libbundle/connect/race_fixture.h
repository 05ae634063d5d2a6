// SPDX-License-Identifier: MIT
// A race on a network that is not there: what each member does, and what the egress knows of it.
// One at a time, one thread; nothing waits.
#pragma once

#include <gmock/gmock.h>
#include <netinet/in.h>

#include <array>
#include <map>
#include <string>
#include <vector>

#include "libbundle/connect/race.h"
#include "tests/unit/libbundle/connect/fake_network.h"

namespace px::bundle {

inline std::string text(const Endpoint& member) {
  std::array<char, kAddressTextSize> buffer;
  return std::string(address_text(member.address, buffer));
}

class TestEgress final : public Egress {
 public:
  Errno prepare(int, const Endpoint& member) override { return errors[text(member)]; }
  bool can_move(int, const Endpoint& from, const Endpoint&) override {
    return movable && text(from) != stays;
  }
  Health health(const Endpoint& member) override { return healths[text(member)]; }
  void report(const Endpoint& member, bool alive) override {
    reports.push_back(text(member) + (alive ? " alive" : " dead"));
  }

  std::uint32_t round_trip_ms(const Endpoint& member) override { return times[text(member)]; }
  void answered(const Endpoint& member, std::int64_t after_ms) override {
    times[text(member)] = static_cast<std::uint32_t>(after_ms);
  }

  bool movable = true;
  std::map<std::string, std::uint32_t> times;  // known round trips
  std::string stays;                           // who goes there cannot go elsewhere
  std::map<std::string, Errno> errors;
  std::map<std::string, Health> healths;
  std::vector<std::string> reports;
};

class RaceTest : public testing::Test {
 protected:
  void TearDown() override {
    EXPECT_EQ(network_.sockets.size(), 1u) << "a probe was left open";
    EXPECT_EQ(network_.own().timeout_ms, timeout_ms_);
  }

  Errno connect(const std::vector<std::string>& members, std::uint32_t stagger_ms = 100,
                std::uint32_t dead_after_ms = 0) {
    std::vector<Endpoint> endpoints;
    for (const std::string& member : members) {
      endpoints.push_back({.address = *address_from_text(member), .port = 80});
    }
    network_.own().timeout_ms = timeout_ms_;
    return race(kFakeNetwork, egress_, FakeNetwork::kSocket, endpoints,
                {.stagger_ms = stagger_ms, .dead_after_ms = dead_after_ms});
  }
  std::string peer() {
    return network_.own().state == FakeNetwork::Socket::kClosed ? "none" : network_.own().peer;
  }

  FakeNetwork network_;
  TestEgress egress_;
  std::int64_t timeout_ms_ = 0;
};

}  // namespace px::bundle
