// SPDX-License-Identifier: MIT
// The addresses that this process was given for names, with these names: so that a connect() to one
// of them takes the rule of its names. Of several names of one address, those asked last. A fixed
// table, for as long as the process lives; where it is full, what was not used for longest makes
// room, among those that share its place. Processes that the program forks may share it: some look
// names up in one process and connect in another. One static instance, lock-free, without heap: any
// thread, any signal handler, forked and vfork children. An address whose names are just being
// changed has its names of before. Any bytes in the table are safe to read. Changes no errno.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "dns/name_chain.h"
#include "libbundle/core/address.h"

namespace px::shim {

class AnsweredNames {
 public:
  static constexpr std::size_t kPlaces = 128;
  static constexpr std::size_t kWays = 16;  // addresses in a place
  // Of a single answer, as many are remembered: a gigantic one must not push out all others.
  static constexpr std::size_t kMostOfAnswer = 256;
  struct Table;

  // From now on in this memory, of zeros, which forked processes share. As BundleCache::share().
  void share(Table* table) { table_ = table; }

  // Whether nothing was ever remembered: a single load, which is all that others pay.
  [[nodiscard]] bool empty() const;

  void remember(const bundle::Address& address, const dns::NameChain& names);
  // The names that the address was given for last; it is in use then.
  [[nodiscard]] bool find(const bundle::Address& address, dns::NameChain* names) const;

 private:
  static constexpr std::size_t kNameWords = dns::NameChain::kRoom / sizeof(std::uint64_t);
  struct alignas(64) Slot {
    std::atomic<std::uint64_t> sequence;  // odd while the rest is being written
    std::atomic<std::uint64_t> asked;     // when it was remembered; 0: nothing is here
    std::atomic<std::uint64_t> used;      // when it was last remembered or found, or given up
    std::array<std::atomic<std::uint64_t>, 2> address;
    std::array<std::atomic<std::uint64_t>, kNameWords> names;
  };
  using Place = std::array<Slot, kWays>;

 public:
  struct Table {
    std::atomic<std::uint64_t> tickets;
    // Random, so that nobody can choose addresses of one place, to push another's names out.
    std::array<std::atomic<std::uint64_t>, 2> factors;
    std::array<Place, kPlaces> places;
  };

 private:
  using Words = std::array<std::uint64_t, 2>;
  void choose_factors();
  [[nodiscard]] std::size_t place_of(const Words& address) const;
  struct Found {
    Slot* slot = nullptr;
    std::uint64_t asked = 0;
    bool busy = false;  // some slot was being written, and is worth a wait
  };
  // The newest names of the address; no slot where it has none.
  [[nodiscard]] Found newest(const Words& address, dns::NameChain* names) const;
  // Puts the slot there if it is the address's, and was asked later than what is there.
  static void read(Slot* slot, const Words& address, Found* found, dns::NameChain* names);
  static void give_up(Place& place);
  [[nodiscard]] static bool write(Slot* slot, std::uint64_t ticket, const Words& address,
                                  const dns::NameChain& names);
  // The one to be written next, but not `kept`: an older one of the address, or else what was not
  // used for longest.
  [[nodiscard]] static Slot* next_of(Place& place, const Words& address, const Slot* kept);

  Table own_{};
  Table* table_ = &own_;
};

}  // namespace px::shim
