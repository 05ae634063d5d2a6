// SPDX-License-Identifier: MIT
// The words of kernel_state_fixture.h for tests of the broker, a host's entries, and ranges by
// text.
#pragma once

#include <cstddef>
#include <string>

#include "broker/host/entries.h"
#include "broker/host/snapshot.h"
#include "tests/unit/netlink/kernel_state_fixture.h"

namespace px::broker::test {

using netlink::test::addr;
using netlink::test::net;
using netlink::test::StateBuilder;
using netlink::test::text_of;

// "LOW-HIGH LOW-HIGH"
inline std::string text_of(const Ranges& ranges) {
  std::string text;
  for (const plan::Range& range : ranges) {
    if (!text.empty()) text += ' ';
    text += text_of(range.low) + "-" + text_of(range.high);
  }
  return text;
}

struct HostBuilder : StateBuilder {
  Entry entry(std::size_t number) { return snapshot_of(state).entries.at(number - 1); }

  void two_interfaces() {
    link(2, "eth0");
    link(3, "eth1");
    address(2, "192.0.2.10/24");
    address(3, "198.51.100.10/24");
    route(2, "0.0.0.0/0", "192.0.2.1").metric = 100;
    route(3, "0.0.0.0/0", "198.51.100.1").metric = 200;
  }
};

}  // namespace px::broker::test
