// SPDX-License-Identifier: MIT
#include "broker/config/broker_section.h"

#include <bit>
#include <charconv>

#include "broker/config/value_reader.h"

namespace px::broker {
namespace {

constexpr Key kKeys[] = {{"on-loss"}, {"mark-mask"}, {"mptcp-subflows"}};
constexpr Choice<bool> kSubflows[] = {{"true", true}, {"false", false}};
constexpr Choice<plan::OnLoss> kOnLoss[] = {{"last-known", plan::OnLoss::kLastKnown},
                                            {"block", plan::OnLoss::kBlock},
                                            {"system", plan::OnLoss::kSystem}};

// Remembers where the key stands; reports one that stood in an earlier file already.
void take_place(const Value& key, std::optional<Position>& first, Report& report) {
  if (first) {
    report.add(key.place, "'" + key.text + "' is already set at " + first->file + ":" +
                              std::to_string(first->line));
  } else {
    first = report.at(key.place);
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

}  // namespace

void read_broker(const Value& section, Draft& draft, Report& report) {
  const Map map =
      Map::read(section, "a map with 'on-loss', 'mark-mask' or 'mptcp-subflows'", kKeys, report);
  if (const Value* on_loss = map.get("on-loss")) {
    take_place(*map.key_of("on-loss"), draft.on_loss, report);
    const auto choice = read_choice<plan::OnLoss>(*on_loss, kOnLoss, report);
    draft.policy.on_loss = choice.value_or(draft.policy.on_loss);
  }
  if (const Value* mark_mask = map.get("mark-mask")) {
    take_place(*map.key_of("mark-mask"), draft.mark_mask, report);
    read_mark_mask(*mark_mask, draft.policy, report);
  }
  if (const Value* subflows = map.get("mptcp-subflows")) {
    take_place(*map.key_of("mptcp-subflows"), draft.mptcp_subflows, report);
    draft.policy.mptcp_subflows = read_choice<bool>(*subflows, kSubflows, report).value_or(true);
  }
}

}  // namespace px::broker
