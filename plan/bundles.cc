// SPDX-License-Identifier: MIT
#include "plan/bundles.h"

#include <algorithm>

#include "libbundle/core/host_name.h"
#include "plan/section.h"

namespace px::plan {
namespace {

constexpr char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

struct Tables {
  std::span<const BundleName> names;
  std::span<const char> text;
};

std::string_view name_of(const Tables& tables, const BundleName& name) {
  const auto characters = part(tables.text, name.name, name.name_length);
  return {characters.data(), characters.size()};
}

std::optional<BundleNotation> find(const Tables& tables, std::string_view wanted) {
  const auto found = std::lower_bound(
      tables.names.begin(), tables.names.end(), wanted,
      [&](const BundleName& name, std::string_view text) { return name_of(tables, name) < text; });
  if (found == tables.names.end() || name_of(tables, *found) != wanted) return std::nullopt;
  const BundleName name = *found;
  const auto characters = part(tables.text, name.notation, name.notation_length);
  if (characters.size() != name.notation_length || characters.size() > bundle::kMostNotation) {
    return std::nullopt;
  }
  BundleNotation notation;
  std::copy(characters.begin(), characters.end(), notation.characters.begin());
  notation.length = static_cast<std::uint32_t>(characters.size());
  notation.implicit = name.implicit != 0;
  return notation;
}

}  // namespace

BundleSettings bundle_settings(std::span<const std::byte> half) {
  BundleSettings settings{};
  if (half.size() < sizeof(PlanHeader)) return settings;
  const BundleSettings found = reinterpret_cast<const PlanHeader*>(half.data())->bundle;
  for (std::size_t i = 0; i < kBundleTransports; ++i) {
    if (found.transports[i] == BundleTransport::kNone) break;
    if (found.transports[i] > BundleTransport::kTcp) break;
    settings.transports[i] = found.transports[i];
  }
  if (found.entries <= BundleEntries::kNever) settings.entries = found.entries;
  settings.all_sockets = found.all_sockets != 0 ? 1 : 0;
  if (found.stagger_ms != 0) {
    settings.stagger_ms = std::clamp(found.stagger_ms, kShortestStaggerMs, kLongestStaggerMs);
  }
  return settings;
}

std::optional<BundleNotation> bundle_named(std::span<const std::byte> half, std::string_view name) {
  if (half.size() < sizeof(PlanHeader)) return std::nullopt;
  if (!bundle::valid_host_name(name) || bundle::ends_in_number(name)) return std::nullopt;
  if (name.ends_with('.')) name.remove_suffix(1);
  const auto& header = *reinterpret_cast<const PlanHeader*>(half.data());
  const Tables tables{elements<BundleName>(half, header.bundle_names),
                      elements<char>(half, header.text)};
  if (tables.names.empty()) return std::nullopt;
  std::array<char, bundle::kMostHostName> lowered;
  std::transform(name.begin(), name.end(), lowered.begin(), lower);
  const std::string_view wanted(lowered.data(), name.size());
  if (auto notation = find(tables, wanted)) return notation;
  if (wanted.ends_with(kBundleSuffix)) return std::nullopt;
  auto notation = find(tables, kAnyName);
  if (notation) notation->any = true;
  return notation;
}

}  // namespace px::plan
