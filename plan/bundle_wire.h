// SPDX-License-Identifier: MIT
// What programs tell the broker about bundles, as messages of wire.h. Fixed sizes, native byte
// order; nothing of it is answered.
#pragma once

#include <cstdint>

#include "libbundle/bundle.h"
#include "libbundle/core/address.h"
#include "plan/wire.h"

namespace px::plan {

// What came of connecting to one member of a bundle.
struct Outcome {
  MessageHeader header;
  std::uint32_t interface_index;  // that it left by; 0: the system's choice
  Address address;
  std::uint16_t port;   // host byte order
  std::uint16_t alive;  // 1: it answered; 0: it did not, while another did
};

// A connected MPTCP socket is to get a subflow to each of these addresses.
struct Subflows {
  MessageHeader header;
  std::uint32_t count;
  Address addresses[BUNDLE_MEMBERS_MAX];
  std::uint16_t port;  // host byte order
  std::uint16_t reserved;
};

}  // namespace px::plan
