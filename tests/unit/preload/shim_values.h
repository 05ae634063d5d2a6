// SPDX-License-Identifier: MIT
// Addresses, calls and entries of a plan, as short as tests want to write them.
#pragma once

#include <gtest/gtest.h>

#include <string_view>

#include "plan/plan.h"

namespace px::shim {

inline plan::Address address(std::string_view text) {
  const auto parsed = bundle::address_from_text(text);
  EXPECT_TRUE(parsed) << text;
  return parsed.value_or(plan::Address{});
}

inline plan::Call call_to(std::string_view destination) {
  return {.destination = address(destination), .port = 443};
}

inline plan::Entry entry(std::uint32_t index, std::string_view interface, std::string_view source,
                         std::uint32_t flags = plan::kEntryUsable) {
  plan::Entry made{};
  made.source = address(source);
  made.interface_index = index;
  made.flags = flags | (made.source.is_ipv4() ? plan::kEntryIpv4 : 0);
  made.reach_count = 1;
  interface.copy(made.interface, sizeof made.interface - 1);
  return made;
}

inline plan::BundleSettings bundle_settings_of(plan::BundleTransport transport,
                                               std::uint32_t stagger_ms = 0) {
  plan::BundleSettings settings = plan::kDefaultBundleSettings;
  settings.transports[0] = transport;
  settings.stagger_ms = stagger_ms;
  return settings;
}

}  // namespace px::shim
