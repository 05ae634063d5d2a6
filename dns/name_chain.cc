// SPDX-License-Identifier: MIT
#include "dns/name_chain.h"

#include <algorithm>

namespace px::dns {

NameChain NameChain::from_wire(std::span<const std::uint8_t> bytes) {
  NameChain chain;
  while (const auto name = next_name(&bytes)) {
    if (name->is_root()) break;
    chain.add(*name);
  }
  return chain;
}

void NameChain::add(const Name& name) {
  const std::size_t length = name.wire().size();
  if (name.is_root() || length > kRoom - size_ || holds(name)) return;
  const Name lowered = name.lowered();
  std::copy_n(lowered.wire().begin(), length, bytes_.begin() + size_);
  size_ = static_cast<std::uint16_t>(size_ + length);
}

bool NameChain::holds(const Name& name) const {
  for (auto rest = wire(); const auto held = next_name(&rest);) {
    if (held->is_same(name)) return true;
  }
  return false;
}

std::optional<Name> next_name(std::span<const std::uint8_t>* names) {
  const auto name = Name::from_wire(*names);
  if (name) *names = names->subspan(name->wire().size());
  return name;
}

}  // namespace px::dns
