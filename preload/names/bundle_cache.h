// SPDX-License-Identifier: MIT
// The bundles that this process was given by getaddrinfo(3) and its kin, so that a connect() to one
// of a bundle's addresses knows the others, and a truncated sockaddr_bundle its whole list. A fixed
// table; the oldest makes room. Processes that the program forks may share it: some look names up
// in one process and connect in another. One static instance, lock-free, without heap: any thread,
// any signal handler, forked and vfork children. A slot that is being written is neither read nor
// waited for; any bytes in the table are safe to read. Changes no errno.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "libbundle/core/bundle.h"

namespace px::shim {

class BundleCache {
 public:
  static constexpr std::size_t kSize = 128;
  static constexpr std::size_t kNameSize = 256;  // with its NUL

  struct Table;
  // From now on in this memory, of zeros, which the processes that are forked share. Before the
  // first bundle, and before there are threads. For a program without privileges alone: a child
  // that one with privileges forks and confines could otherwise mislead it.
  void share(Table* table) { table_ = table; }

  // Whether nothing was ever remembered: a single load, which is all that others pay.
  [[nodiscard]] bool empty() const { return table_->tickets.load(std::memory_order_relaxed) == 0; }

  // A bundle of at least one member, and what a program may call it (empty: nothing; a name that is
  // too long is not kept). The same members in the same order again make it the newest.
  void remember(const bundle::Bundle& bundle, std::string_view name = {});

  // The bundle with that address (and scope, where it is_scoped()), in the order in which it was
  // given, all with the endpoint's port. One that was remembered with this very port comes before
  // one that was remembered without a port (0), and of several the newest.
  [[nodiscard]] bool find(const bundle::Endpoint& endpoint, bundle::Bundle* found) const;

  // Puts the whole list into a bundle that is truncated, where it is known; the ports stay.
  [[nodiscard]] bool complete(bundle::Bundle* bundle) const;

  // The name that the bundle was last remembered with, whatever the port; the view points into
  // `buffer` and is empty where there is none.
  [[nodiscard]] std::string_view name_of(const bundle::Bundle& bundle,
                                         std::span<char, kNameSize> buffer) const;

 private:
  static constexpr std::size_t kBundleWords = 1 + 3 * bundle::kMostMembers;
  static constexpr std::size_t kNameWords = kNameSize / sizeof(std::uint64_t);
  using BundleWords = std::array<std::uint64_t, kBundleWords>;
  using NameWords = std::array<std::uint64_t, kNameWords>;
  struct alignas(64) Slot {
    std::atomic<std::uint64_t> sequence;  // odd while the rest is being written
    std::atomic<std::uint64_t> ticket;    // when it was last remembered; 0: nothing is here
    std::atomic<std::uint64_t> filter;    // a bit for each member; others are not there
    std::array<std::atomic<std::uint64_t>, kBundleWords> bundle;
    std::array<std::atomic<std::uint64_t>, kNameWords> name;
  };

 public:
  struct Table {
    std::atomic<std::uint64_t> tickets;
    std::array<Slot, kSize> slots;
  };

 private:
  [[nodiscard]] static bool read(const Slot& slot, bundle::Bundle* bundle, NameWords* name);
  [[nodiscard]] static bool write(Slot* slot, std::uint64_t ticket, const bundle::Bundle& bundle,
                                  const NameWords& name);
  // The slot that was remembered longest ago and is not being written.
  [[nodiscard]] Slot* oldest();
  // The newest bundle of which `part` is the beginning, as far as `part` is truncated.
  [[nodiscard]] const Slot* find_whole(const bundle::Bundle& part, bool with_ports,
                                       bundle::Bundle* whole, NameWords* name) const;

  Table own_{};
  Table* table_ = &own_;
};

}  // namespace px::shim
