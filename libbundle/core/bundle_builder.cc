// SPDX-License-Identifier: MIT
#include "libbundle/core/bundle_builder.h"

#include <algorithm>
#include <numeric>

namespace px::bundle {

BundleBuilder::BundleBuilder() {
  std::iota(merged_into_.begin(), merged_into_.end(), 0u);
}

std::uint32_t BundleBuilder::merged(std::uint32_t group) const {
  while (merged_into_[group] != group) group = merged_into_[group];
  return group;
}

bool BundleBuilder::add(Endpoint endpoint, std::uint32_t group) {
  if (!endpoint.address.is_scoped()) endpoint.scope = 0;
  for (std::uint32_t i = 0; i < count_; ++i) {
    if (endpoints_[i].address != endpoint.address || endpoints_[i].scope != endpoint.scope)
      continue;
    const std::uint32_t a = merged(groups_[i]);
    const std::uint32_t b = merged(group);
    merged_into_[std::max(a, b)] = std::min(a, b);
    return true;
  }
  if (count_ == kMostMembers) {
    truncated_ = true;
    return false;
  }
  endpoints_[count_] = endpoint;
  groups_[count_] = group;
  ++count_;
  return true;
}

Bundle BundleBuilder::build() const {
  Bundle bundle;
  bundle.truncated = truncated_;
  std::uint32_t done = 0;  // a bit for each alternative
  for (std::uint32_t first = 0; first < count_; ++first) {
    const std::uint32_t group = merged(groups_[first]);
    if ((done >> group & 1) != 0) continue;
    done |= 1u << group;
    if (bundle.count != 0) bundle.alternatives |= 1u << bundle.count;
    for (std::uint32_t i = first; i < count_; ++i) {
      if (merged(groups_[i]) == group) bundle.endpoints[bundle.count++] = endpoints_[i];
    }
  }
  return bundle;
}

}  // namespace px::bundle
