// SPDX-License-Identifier: MIT
// Any bytes as a sockaddr_bundle: a fault, or a bundle that is written and read again as it is, and
// in whatever room there is, as far as it fits.
#include <algorithm>
#include <memory>
#include <span>

#include "libbundle/core/layout.h"
#include "libbundle/core/text.h"
#include "tests/fuzz/fuzz_target.h"

namespace px::bundle {
namespace {

using fuzz::require;

void check_bundle(const Bundle& bundle) {
  require(bundle.count >= 1 && bundle.count <= kMostMembers);
  require((bundle.alternatives & 1) == 0 && bundle.alternatives >> bundle.count == 0);
  std::size_t grouped = 0;
  while (grouped < bundle.count) grouped += bundle.group_at(grouped).size();
  require(grouped == bundle.count);
}

bool same(const Bundle& a, const Bundle& b, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const Endpoint& x = a.endpoints[i];
    const Endpoint& y = b.endpoints[i];
    if (x.address != y.address || x.port != y.port || x.scope != y.scope) return false;
  }
  return true;
}

// Exactly as large as the limit, so that a sanitizer sees the first byte too much.
void write_and_read(const Bundle& bundle, std::size_t limit) {
  const auto bytes = std::make_unique<std::uint8_t[]>(limit);
  const socklen_t length = sockaddr_from_bundle(bundle, bytes.get(), limit);
  require(length <= limit);
  if (length == 0) return;
  const auto back = bundle_from_sockaddr(reinterpret_cast<const sockaddr*>(bytes.get()), length);
  require(back && back->count <= bundle.count && same(*back, bundle, back->count));
  require(back->truncated == (bundle.truncated || back->count < bundle.count));
  if (limit >= BUNDLE_SIZE_MAX) require(back->alternatives == bundle.alternatives);
}

void check(std::span<const std::uint8_t> input) {
  const auto bytes = std::make_unique<std::uint8_t[]>(input.size() + 1);
  std::copy(input.begin(), input.end(), bytes.get() + 1);
  // At an odd address: sanitizers see an access that would need alignment.
  const auto* address = reinterpret_cast<const sockaddr*>(bytes.get() + 1);
  const auto length = static_cast<socklen_t>(input.size());
  const auto bundle = bundle_from_sockaddr(address, length);
  require(bundle.has_value() == (check_layout(address, length) == LayoutFault::kNone));
  if (!bundle) return;
  check_bundle(*bundle);
  check_bundle(canonical(*bundle));
  require(compare(*bundle, canonical(*bundle)) == 0);
  write_and_read(*bundle, BUNDLE_SIZE_MAX);
  write_and_read(*bundle, BUNDLE_SIZE_USUAL);
  write_and_read(*bundle, input.back());
}

}  // namespace
}  // namespace px::bundle

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  px::bundle::check({data, size});
  return 0;
}
