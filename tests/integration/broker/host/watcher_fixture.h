// SPDX-License-Identifier: MIT
// A watcher on a real kernel: a namespace for each test, changed by iproute2, until the snapshot
// says what it must or a deadline has passed. Single-threaded.
//
//   eth0 192.0.2.10/24, router .1, metric 100      eth1 198.51.100.10/24, router .1, metric 200
//     |                                              |
//   eth0-peer, no addresses                        eth1-peer, no addresses
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "broker/host/range_set.h"
#include "broker/host/watcher.h"
#include "tests/integration/support/network_namespace.h"

namespace px::broker {

inline constexpr std::chrono::seconds kDeadline{20};

inline Address addr(std::string_view text) {
  return bundle::address_from_text(text).value();
}

inline void ip(const std::string& arguments) {
  ASSERT_TRUE(test::run_program("ip " + arguments)) << arguments;
}

// With carrier, and without the link-local addresses whose duplicate detection makes events later.
inline void add_link(const std::string& name) {
  ip("link add " + name + " type veth peer name " + name + "-peer");
  for (const std::string& end : {name, name + "-peer"}) {
    ip("link set " + end + " addrgenmode none");
    ip("link set " + end + " up");
  }
}

class WatcherTest : public testing::Test {
 protected:
  void SetUp() override {
    const std::string missing = test::enter_new_network_namespace();
    if (!missing.empty()) GTEST_SKIP() << missing;
    ip("link set lo up");
    for (const auto& [name, network] :
         {std::pair{"eth0", "192.0.2"}, std::pair{"eth1", "198.51.100"}}) {
      add_link(name);
      ip(std::string("address add ") + network + ".10/24 dev " + name);
    }
    ip("route add default via 192.0.2.1 dev eth0 metric 100");
    ip("route add default via 198.51.100.1 dev eth1 metric 200");
  }

  void start(WatcherOptions options = {}) {
    watcher_.emplace(
        context_,
        [this](Snapshot snapshot) {
          now_ = std::move(snapshot);
          ++changes_;
        },
        [this](const Error& error) { last_error_ = error.message; }, options);
    auto first = watcher_->start();
    ASSERT_TRUE(first) << first.error().message;
    now_ = std::move(*first);
  }

  // Started, and past the events of the links' coming up.
  void start_and_settle() {
    start();
    ASSERT_TRUE(
        comes([&] { return usable("eth0", "192.0.2.10") && usable("eth1", "198.51.100.10"); }));
    settle();
  }

  // Handles events until none has come for ten times the watcher's quiet interval.
  void settle() {
    while (context_.run_one_for(std::chrono::milliseconds(100)) != 0) {
    }
  }

  template <typename Condition>
  [[nodiscard]] testing::AssertionResult comes(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + kDeadline;
    while (!condition()) {
      if (context_.run_one_until(deadline) == 0) return testing::AssertionFailure() << describe();
    }
    return testing::AssertionSuccess();
  }

  [[nodiscard]] std::string describe() const {
    std::string text =
        "after " + std::to_string(changes_) + " changes, error '" + last_error_ + "'";
    std::array<char, bundle::kAddressTextSize> buffer{};
    for (const Entry& entry : now_.entries) {
      text += "\n" + std::to_string(entry.number) + " " + entry.interface + " via ";
      text += entry.next_hop ? bundle::address_text(*entry.next_hop, buffer) : "direct";
      text += " from ";
      text += bundle::address_text(entry.source, buffer);
      text += " " + why_unusable(entry) + (entry.interface_default() ? " default" : "");
    }
    return text;
  }

  // The entry with the interface's own router and this source of its own.
  [[nodiscard]] const Entry* default_entry(std::string_view interface,
                                           std::string_view source) const {
    for (const Entry& entry : now_.entries) {
      if (entry.interface == interface && entry.interface_default() &&
          entry.source == addr(source)) {
        return &entry;
      }
    }
    return nullptr;
  }

  [[nodiscard]] bool usable(std::string_view interface, std::string_view source) const {
    const Entry* entry = default_entry(interface, source);
    return entry != nullptr && entry->usable();
  }

  [[nodiscard]] bool reaches(std::string_view interface, std::string_view source,
                             std::string_view destination) const {
    const Entry* entry = default_entry(interface, source);
    return entry != nullptr && contains(now_.reach.at(entry->reach), addr(destination));
  }

  [[nodiscard]] bool has_next_hop(std::string_view interface, std::string_view next_hop) const {
    for (const Entry& entry : now_.entries) {
      if (entry.interface == interface && entry.next_hop == addr(next_hop)) return true;
    }
    return false;
  }

  asio::io_context context_;
  std::optional<Watcher> watcher_;
  Snapshot now_;
  int changes_ = 0;
  std::string last_error_;
};

}  // namespace px::broker
