// SPDX-License-Identifier: MIT
// The words of kernel_state_fixture.h for tests of the broker, and ranges by text.
#pragma once

#include <string>

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

}  // namespace px::broker::test
