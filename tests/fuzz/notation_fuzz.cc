// SPDX-License-Identifier: MIT
// Any bytes as a notation: an ordinary name, a fault with its place, or members that keep what
// notation.h promises; and the canonical text of what they are is a fixed point.
#include "libbundle/core/bundle_builder.h"
#include "libbundle/core/host_name.h"
#include "libbundle/core/notation.h"
#include "libbundle/core/text.h"
#include "libbundle/core/zone.h"
#include "tests/fuzz/fuzz_target.h"

namespace px::bundle {
namespace {

using fuzz::require;

bool inside(std::string_view part, std::string_view whole) {
  return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
}

void check_members(const Notation& notation, std::string_view text) {
  require(notation.count >= 1 && notation.count <= kMostMembers);
  std::uint32_t group = 0;
  for (const Member& member : notation.members()) {
    require(!member.text.empty() && inside(member.text, text));
    require(member.group == group || member.group == group + 1);
    group = member.group;
    if (member.numeric) {
      require(member.zone.empty() || (member.address.is_scoped() && valid_zone(member.zone)));
    } else {
      require(valid_host_name(member.text) && !ends_in_number(member.text));
    }
  }
}

// The numeric members; a zone that is no number stands for an interface that is gone.
Bundle numeric_bundle(const Notation& notation) {
  BundleBuilder builder;
  for (const Member& member : notation.members()) {
    if (!member.numeric) continue;
    const bool named = !member.zone.empty() && zone_index(member.zone) == 0;
    const std::uint32_t scope = named ? 4000000000u : zone_index(member.zone);
    require(builder.add({member.address, 80, scope}, member.group));
  }
  return builder.build();
}

void check_text(const Bundle& bundle) {
  std::array<char, kBundleTextSize> buffer;
  const std::string_view text = bundle_text(bundle, buffer);
  const Notation notation = parse_notation(text);
  require(notation.kind == NotationKind::kMembers);
  const Bundle again = numeric_bundle(notation);
  require(again.count == bundle.count && compare(again, bundle) == 0);
  std::array<char, kBundleTextSize> second;
  require(bundle_text(again, second) == text);
}

void check(std::string_view text) {
  const Notation notation = parse_notation(text);
  require((notation.kind == NotationKind::kBad) == (notation.fault != NotationFault::kNone));
  require(notation.position <= text.size());
  switch (notation.kind) {
    case NotationKind::kNone: {
      require(text.find_first_of("<>{}") == std::string_view::npos && notation.count == 0);
      return;
    }
    case NotationKind::kBad:
      return require(notation.count == 0);
    case NotationKind::kPolicyName: {
      require(inside(notation.policy_name, text) && valid_host_name(notation.policy_name));
      return require(ends_with_label(notation.policy_name, ".bundle") && notation.count == 0);
    }
    case NotationKind::kMembers:
      check_members(notation, text);
  }
  const Bundle bundle = numeric_bundle(notation);
  if (bundle.count != 0) check_text(bundle);
}

}  // namespace
}  // namespace px::bundle

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  px::bundle::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
