// SPDX-License-Identifier: MIT
#include "broker/publish/bundle_tables.h"

#include <algorithm>
#include <string_view>

namespace px::broker {
namespace {

using plan::BundleName;

std::uint32_t append(std::vector<char>& text, std::string_view added) {
  const auto offset = static_cast<std::uint32_t>(text.size());
  text.insert(text.end(), added.begin(), added.end());
  return offset;
}

void add_name(BundleTables& tables, std::string_view name, const BundleName& notation,
              bool implicit) {
  BundleName added = notation;
  added.name = append(tables.text, name);
  added.name_length = static_cast<std::uint32_t>(name.size());
  added.implicit = implicit ? 1 : 0;
  tables.names.push_back(added);
}

std::string lowered(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

}  // namespace

BundleTables bundle_tables_of(const std::vector<BundleDefinition>& bundles) {
  BundleTables tables;
  for (const BundleDefinition& bundle : bundles) {
    BundleName notation{};
    notation.notation = append(tables.text, bundle.notation);
    notation.notation_length = static_cast<std::uint32_t>(bundle.notation.size());
    if (!bundle.notation.empty()) {
      add_name(tables, lowered(bundle.name) + plan::kBundleSuffix, notation, false);
    }
    for (const std::string& alias : bundle.aliases) add_name(tables, alias, notation, true);
    if (bundle.any) add_name(tables, plan::kAnyName, notation, true);
  }
  const auto text_of = [&](const BundleName& name) {
    return std::string_view(tables.text.data() + name.name, name.name_length);
  };
  std::sort(tables.names.begin(), tables.names.end(),
            [&](const BundleName& a, const BundleName& b) { return text_of(a) < text_of(b); });
  return tables;
}

}  // namespace px::broker
