// SPDX-License-Identifier: MIT
#include "preload/names/resolver_environment.h"

#include <algorithm>
#include <cstdlib>

#include "libbundle/core/host_name.h"
#include "plan/names.h"
#include "preload/process/text_file.h"

namespace px::shim {
namespace {

constexpr std::uint8_t kMostNdots = 15;

std::string_view variable(const char* name) {
  const char* value = ::secure_getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

// The number behind `key`, at most `most`; nothing where the word is another one.
std::optional<std::uint8_t> number_of(std::string_view word, std::string_view key,
                                      std::uint8_t most) {
  if (!word.starts_with(key)) return std::nullopt;
  word.remove_prefix(key.size());
  unsigned number = 0;
  for (const char c : word) {
    if (c < '0' || c > '9') break;
    number = std::min(number * 10 + static_cast<unsigned>(c - '0'), 1000u);
  }
  return static_cast<std::uint8_t>(std::min<unsigned>(number, most));
}

void apply_options(std::string_view options, plan::Lookup* lookup) {
  for (std::string_view word = take_word(&options); !word.empty(); word = take_word(&options)) {
    if (const auto ndots = number_of(word, "ndots:", kMostNdots)) lookup->ndots = *ndots;
    if (const auto timeout = number_of(word, "timeout:", plan::kLongestNameTimeoutS)) {
      lookup->timeout_s = *timeout;
    }
    if (const auto attempts = number_of(word, "attempts:", plan::kMostNameAttempts)) {
      lookup->attempts = *attempts;
    }
    if (word == "use-vc") lookup->flags |= plan::kLookupStream;
  }
}

void apply_domains(std::string_view domains, plan::Lookup* lookup) {
  std::size_t length = 0;
  for (std::string_view word = take_word(&domains); !word.empty(); word = take_word(&domains)) {
    const auto domain = dns::Name::from_text(word);
    if (!domain) continue;
    const auto wire = domain->wire();
    if (length + wire.size() > sizeof lookup->search) break;
    std::copy(wire.begin(), wire.end(), lookup->search + length);
    length += wire.size();
  }
  lookup->search_length = static_cast<std::uint16_t>(length);
}

}  // namespace

void apply_environment(plan::Lookup* lookup) {
  apply_options(variable("RES_OPTIONS"), lookup);
  apply_domains(variable("LOCALDOMAIN"), lookup);
}

std::optional<dns::Name> host_alias(std::string_view name) {
  const std::string_view path = variable("HOSTALIASES");
  if (path.empty() || name.find('.') != name.npos) return std::nullopt;
  TextFile file(path.data());
  while (auto line = file.next_line()) {
    const std::string_view alias = take_word(&*line);
    if (!bundle::equal_names(alias, name)) continue;
    const std::string_view real = take_word(&*line);
    return real.empty() ? std::nullopt : dns::Name::from_text(real);
  }
  return std::nullopt;
}

}  // namespace px::shim
