// SPDX-License-Identifier: MIT
#include "dns/name_chain.h"

#include <algorithm>

namespace px::dns {

NameChain NameChain::from_wire(std::span<const std::uint8_t> bytes) {
  auto rest = bytes;
  std::size_t size = 0;
  while (const auto name = next_name(&rest)) {
    if (name->is_root() || bytes.size() - rest.size() > kRoom) break;
    size = bytes.size() - rest.size();
  }
  NameChain chain;
  std::copy_n(bytes.begin(), size, chain.bytes_.begin());
  chain.size_ = static_cast<std::uint16_t>(size);
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
