// SPDX-License-Identifier: MIT
#include "broker/config/suggestion.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace px::broker {
namespace {

constexpr std::size_t kLongestWord = 64;
constexpr std::size_t kLongestQuote = 100;
constexpr std::size_t kMostWords = 12;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// Insertions, deletions, replacements and swaps of neighbours between two short words, case aside.
std::size_t distance(std::string_view a, std::string_view b) {
  using Row = std::array<std::size_t, kLongestWord + 1>;
  Row before_last{};
  Row last{};
  Row current{};
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    current[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = lower(a[i - 1]) == lower(b[j - 1]);
      current[j] = std::min({last[j] + 1, current[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
      if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
          lower(a[i - 2]) == lower(b[j - 1])) {
        current[j] = std::min(current[j], before_last[j - 2] + 1);
      }
    }
    before_last = last;
    last = current;
  }
  return last[b.size()];
}

std::size_t common_start(std::string_view a, std::string_view b) {
  const auto [end, other] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  return static_cast<std::size_t>(end - a.begin());
}

}  // namespace

std::string printable(std::string_view text) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f) {
      result += c;
    } else {
      result += {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return result;
}

std::string in_quotes(std::string_view text) {
  const bool cut = text.size() > kLongestQuote;
  return "'" + printable(text.substr(0, kLongestQuote)) + (cut ? "...'" : "'");
}

std::string enumerated(std::span<const std::string_view> words) {
  std::string text;
  const std::size_t count = std::min(words.size(), kMostWords);
  for (std::size_t i = 0; i < count; ++i) {
    if (i != 0) text += i + 1 == words.size() ? " or " : ", ";
    text += words[i];
  }
  return words.size() > count ? text + "..." : text;
}

std::optional<std::string_view> closest(std::string_view wrong,
                                        std::span<const std::string_view> words) {
  std::optional<std::string_view> best;
  std::size_t best_start = 0;
  std::size_t best_distance = std::max<std::size_t>(1, wrong.size() / 3) + 1;
  if (wrong.size() > kLongestWord) return best;
  for (const std::string_view word : words) {
    if (word.size() > kLongestWord || word.size() > wrong.size() + best_distance ||
        wrong.size() > word.size() + best_distance) {
      continue;
    }
    // With not one letter in common there is nothing that was misspelt.
    const std::size_t here = distance(wrong, word);
    const std::size_t alike = common_start(wrong, word);
    if (here < word.size() &&
        (here < best_distance || (best && here == best_distance && alike > best_start))) {
      best_distance = here;
      best_start = alike;
      best = word;
    }
  }
  return best;
}

std::string hint(std::string_view wrong, std::span<const std::string_view> words) {
  if (const auto meant = closest(wrong, words))
    return "; did you mean '" + std::string(*meant) + "'?";
  return words.empty() ? "" : "; expected " + enumerated(words);
}

}  // namespace px::broker
