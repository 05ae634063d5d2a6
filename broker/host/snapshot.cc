// SPDX-License-Identifier: MIT
#include "broker/host/snapshot.h"

namespace px::broker {

std::string why_unusable(const Entry& entry) {
  if (!entry.link_up) return "link down";
  if (!entry.source_valid) return "source address not valid";
  return "";
}

bool operator==(const Snapshot& a, const Snapshot& b) {
  return a.entries == b.entries && a.own == b.own && a.on_link == b.on_link && a.reach == b.reach &&
         a.networks == b.networks && a.link_names == b.link_names;
}

}  // namespace px::broker
