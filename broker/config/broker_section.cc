// SPDX-License-Identifier: MIT
#include "broker/config/broker_section.h"

#include <bit>
#include <charconv>

#include "broker/config/server_address.h"
#include "broker/config/value_reader.h"

namespace px::broker {
namespace {

constexpr Key kKeys[] = {{"on-loss"}, {"mark-mask"}, {"mptcp-subflows"}, {"metrics"}};
constexpr Choice<bool> kSubflows[] = {{"true", true}, {"false", false}};
constexpr Choice<plan::OnLoss> kOnLoss[] = {{"last-known", plan::OnLoss::kLastKnown},
                                            {"block", plan::OnLoss::kBlock},
                                            {"system", plan::OnLoss::kSystem}};

// A key of this section may stand in one file alone: remembers the first place of each.
void check_places(const Map& map, Draft& draft, Report& report) {
  for (const Key& known : kKeys) {
    const Value* key = map.key_of(known.name);
    if (key == nullptr) continue;
    const auto [first, is_new] = draft.broker_keys.emplace(key->text, report.at(key->place));
    if (is_new) continue;
    report.add(key->place, "'" + key->text + "' is already set at " + first->second.file + ":" +
                               std::to_string(first->second.line));
  }
}

std::optional<std::uint32_t> number_in(std::string_view text) {
  const bool hexadecimal = text.starts_with("0x") || text.starts_with("0X");
  if (hexadecimal) text.remove_prefix(2);
  std::uint32_t number = 0;
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, number, hexadecimal ? 16 : 10);
  if (error != std::errc() || end != last) return std::nullopt;
  return number;
}

void read_mark_mask(const Value& value, Policy& policy, Report& report) {
  constexpr std::string_view kExpected = "a number of 32 bits, such as 0xff000000";
  const auto text = read_text(value, kExpected, report);
  if (!text) return;
  const auto mask = number_in(*text);
  if (!mask) {
    report.add(value.place,
               "bad mark-mask " + in_quotes(*text) + "; expected " + std::string(kExpected));
  } else if (const int bits = std::popcount(*mask); bits < kFewestMarkBits) {
    report.add(value.place, "mark-mask " + in_quotes(*text) + " has " +
                                (bits == 0 ? "no bit" : "too few bits") + " set; expected at " +
                                "least " + std::to_string(kFewestMarkBits) +
                                ", since each next hop takes a mark of its own");
  } else {
    policy.mark_mask = *mask;
  }
}

void read_metrics(const Value& value, Policy& policy, Report& report) {
  constexpr std::string_view kExpected =
      "a loopback address and a port, such as 127.0.0.1:9464 or [::1]:9464";
  const auto text = read_text(value, kExpected, report);
  if (!text) return;
  const auto address = server_address_in(*text, 0);
  if (!address || address->port == 0) {
    report.add(value.place,
               "bad metrics address " + in_quotes(*text) + "; expected " + std::string(kExpected));
  } else if (!address->address.is_loopback()) {
    report.add(value.place, "metrics address " + in_quotes(*text) +
                                " can be reached from other hosts, and anyone may read there; "
                                "expected " +
                                std::string(kExpected));
  } else {
    policy.metrics = *address;
  }
}

}  // namespace

void read_broker(const Value& section, Draft& draft, Report& report) {
  const Map map = Map::read(section, "a map with " + quoted(kKeys), kKeys, report);
  check_places(map, draft, report);
  read_choice(map, "on-loss", kOnLoss, draft.policy.on_loss, report);
  if (const Value* mask = map.get("mark-mask")) read_mark_mask(*mask, draft.policy, report);
  read_choice(map, "mptcp-subflows", kSubflows, draft.policy.mptcp_subflows, report);
  if (const Value* metrics = map.get("metrics")) read_metrics(*metrics, draft.policy, report);
}

}  // namespace px::broker
