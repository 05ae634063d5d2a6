// SPDX-License-Identifier: MIT
// Destinations that earlier rules have decided already, to find rules that never can. A value; the
// reader of a profile owns one.
#pragma once

#include <set>
#include <utility>

#include "broker/config/policy.h"

namespace px::broker {

class CoveredNetworks {
 public:
  void add(const Network& network);
  // Whether all of the network was added, in whatever pieces.
  [[nodiscard]] bool covers(const Network& network) const;
  // Whether everything was.
  [[nodiscard]] bool everything() const { return covers({}); }

 private:
  // Base and length. Two halves stand for the whole: with both there is the whole, too.
  std::set<std::pair<Address, unsigned>> networks_;
};

}  // namespace px::broker
