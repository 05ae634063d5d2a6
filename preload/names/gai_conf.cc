// SPDX-License-Identifier: MIT
#include "preload/names/gai_conf.h"

#include <algorithm>
#include <climits>
#include <optional>

#include "preload/process/text_file.h"

namespace px::shim {
namespace {

constexpr std::uint32_t kMappedBits = 96;
constexpr std::uint32_t kGlobalScope = 14;
constexpr std::uint32_t kSiteScope = 5;
constexpr std::uint32_t kLinkScope = 2;

using Bytes = std::array<std::uint8_t, 16>;

// As strtoul(3) reads it: nothing is 0.
std::optional<std::uint32_t> number_in(std::string_view text, std::uint32_t most) {
  std::uint64_t number = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + static_cast<std::uint64_t>(c - '0');
    if (number > most) return std::nullopt;
  }
  return static_cast<std::uint32_t>(number);
}

struct Prefix {
  bundle::Address address;
  std::uint32_t bits;
};

std::optional<Prefix> prefix_in(std::string_view text, bool ipv4) {
  const std::size_t slash = text.find('/');
  const std::string_view written = text.substr(0, slash);
  const auto address = bundle::address_from_text(written);
  if (!address) return std::nullopt;
  const bool dotted = written.find(':') == written.npos;
  if (ipv4 ? !address->is_ipv4() : dotted) return std::nullopt;
  Prefix prefix{*address, 128};
  if (slash != text.npos) {
    const auto bits = number_in(text.substr(slash + 1), dotted ? 32 : 128);
    if (!bits) return std::nullopt;
    prefix.bits = dotted ? kMappedBits + *bits : *bits;
  }
  if (ipv4 && prefix.bits < kMappedBits) return std::nullopt;
  return prefix;
}

}  // namespace

const std::array<GaiConf::Entry, 7> GaiConf::kLabels{{
    {{Bytes{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}}, 128, 0},
    {{Bytes{}}, 96, 3},
    {{Bytes{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}}, 96, 4},
    {{Bytes{0x20, 0x01}}, 32, 7},
    {{Bytes{0x20, 0x02}}, 16, 2},
    {{Bytes{0xfe, 0xc0}}, 10, 5},
    {{Bytes{0xfc}}, 7, 6},
}};
const std::array<GaiConf::Entry, 4> GaiConf::kPrecedences{{
    {{Bytes{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}}, 128, 50},
    {{Bytes{}}, 96, 20},
    {{Bytes{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}}, 96, 10},
    {{Bytes{0x20, 0x02}}, 16, 30},
}};
const std::array<GaiConf::Entry, 2> GaiConf::kScopes{{
    {{Bytes{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 169, 254}}, 112, kLinkScope},
    {{Bytes{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127}}, 104, kLinkScope},
}};

GaiConf::Table::Table(std::span<const Entry> own, std::uint32_t otherwise)
    : count_(own.size()), otherwise_(otherwise) {
  std::copy(own.begin(), own.end(), entries_.begin());
}

void GaiConf::Table::add(const Entry& entry) {
  if (is_own_) count_ = 0;
  is_own_ = false;
  if (count_ == kMost) return;
  std::size_t place = count_++;
  for (; place > 0 && entries_[place - 1].bits < entry.bits; --place) {
    entries_[place] = entries_[place - 1];
  }
  entries_[place] = entry;
}

std::uint32_t GaiConf::Table::value_of(const bundle::Address& address) const {
  for (const Entry& entry : std::span(entries_).first(count_)) {
    if (bundle::common_prefix_length(entry.prefix, address) >= entry.bits) return entry.value;
  }
  return otherwise_;
}

GaiConf::GaiConf(const char* file)
    : labels_(kLabels, 1), precedences_(kPrecedences, 40), scopes_(kScopes, kGlobalScope) {
  TextFile text(file);
  while (const auto line = text.next_line()) take_line(*line);
}

void GaiConf::take_line(std::string_view line) {
  line = line.substr(0, line.find('#'));
  const std::string_view kind = take_word(&line);
  Table* table = nullptr;
  if (kind == "label") table = &labels_;
  if (kind == "precedence") table = &precedences_;
  if (kind == "scopev4") table = &scopes_;
  if (table == nullptr) return;
  const auto prefix = prefix_in(take_word(&line), table == &scopes_);
  const auto value = number_in(take_word(&line), INT_MAX);
  if (prefix && value) table->add({prefix->address, prefix->bits, *value});
}

std::uint32_t GaiConf::scope_of(const bundle::Address& address, int family) const {
  if (family == AF_INET) return scopes_.value_of(address);
  if (address.bytes[0] == 0xff) return address.bytes[1] & 0xfu;
  if (address.is_ipv4()) return kGlobalScope;
  if (address.is_link_local() || address.is_loopback()) return kLinkScope;
  const bool site = address.bytes[0] == 0xfe && (address.bytes[1] & 0xc0) == 0xc0;
  return site ? kSiteScope : kGlobalScope;
}

}  // namespace px::shim
