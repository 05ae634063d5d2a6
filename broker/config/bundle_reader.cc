// SPDX-License-Identifier: MIT
#include "broker/config/bundle_reader.h"

#include <algorithm>
#include <charconv>
#include <iterator>

#include "plan/bundles.h"

namespace px::broker {
namespace {

using plan::BundleEntries;
using plan::BundleTransport;

constexpr Key kKeys[] = {{"transports"}, {"stagger"}, {"entries"}, {"sockets"}};
constexpr Choice<BundleTransport> kTransports[] = {{"sctp", BundleTransport::kSctp},
                                                   {"mptcp", BundleTransport::kMptcp},
                                                   {"tcp", BundleTransport::kTcp}};
constexpr Choice<BundleEntries> kEntries[] = {{"always", BundleEntries::kAlways},
                                              {"never", BundleEntries::kNever}};
constexpr Choice<std::uint8_t> kSockets[] = {{"bundles", 0}, {"all", 1}};

void read_transports(const Value& value, plan::BundleSettings& settings, Report& report) {
  std::fill(std::begin(settings.transports), std::end(settings.transports), BundleTransport::kNone);
  auto* next = std::begin(settings.transports);
  for (const Value* item : read_one_or_list(value, "sctp, mptcp or tcp", report)) {
    const auto transport = read_choice<BundleTransport>(*item, kTransports, report);
    if (!transport) continue;
    if (std::find(std::begin(settings.transports), next, *transport) != next) {
      report.add(item->place, in_quotes(item->text) + " is in the list already");
    } else {
      *next++ = *transport;
    }
  }
}

// Milliseconds; nothing for a text that is no time, or a time that no stagger can be.
std::optional<std::uint32_t> milliseconds_in(std::string_view text) {
  std::uint32_t number = 0;
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, number);
  if (error != std::errc() || number > plan::kLongestStaggerMs) return std::nullopt;
  const std::string_view unit(end, static_cast<std::size_t>(last - end));
  if (unit == "s") number *= 1000;
  return unit == "s" || unit == "ms" ? std::optional(number) : std::nullopt;
}

void read_stagger(const Value& value, plan::BundleSettings& settings, Report& report) {
  constexpr std::string_view kExpected = "a time from 10ms to 5s, such as 250ms";
  const auto text = read_text(value, kExpected, report);
  if (!text) return;
  const auto stagger = milliseconds_in(*text);
  if (!stagger || *stagger < plan::kShortestStaggerMs || *stagger > plan::kLongestStaggerMs) {
    report.add(value.place,
               "bad stagger " + in_quotes(*text) + "; expected " + std::string(kExpected));
    return;
  }
  settings.stagger_ms = *stagger;
}

}  // namespace

plan::BundleSettings read_bundle(const Value& value, Report& report) {
  plan::BundleSettings settings = plan::kDefaultBundleSettings;
  const Map map = Map::read(value, "a map with " + quoted(kKeys), kKeys, report);
  if (const Value* transports = map.get("transports")) {
    read_transports(*transports, settings, report);
  }
  if (const Value* stagger = map.get("stagger")) read_stagger(*stagger, settings, report);
  read_choice(map, "entries", kEntries, settings.entries, report);
  read_choice(map, "sockets", kSockets, settings.all_sockets, report);
  return settings;
}

}  // namespace px::broker
