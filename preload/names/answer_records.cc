// SPDX-License-Identifier: MIT
#include "preload/names/answer_records.h"

#include <algorithm>

namespace px::shim {

AnswerRecords::AnswerRecords(dns::Packet packet, std::uint16_t type)
    : packet_(packet), records_(packet), type_(type) {
  if (const auto question = dns::question_of(packet)) owner_ = canonical_ = question->name;
}

std::optional<dns::Record> AnswerRecords::next() {
  for (;;) {
    const auto record = next_or_alias();
    if (!record || record->type == type_) return record;
  }
}

std::optional<dns::Record> AnswerRecords::next_or_alias() {
  while (const auto record = records_.next()) {
    if (record->record_class != dns::kInternet || !record->owner.is_same(owner_)) continue;
    const bool alias = record->type == dns::kCname && type_ != dns::kCname;
    if (!alias && record->type != type_) continue;
    ttl_ = std::min(ttl_, record->ttl);
    if (!alias) return record;
    std::size_t at = record->position;
    const auto target = dns::read_name(packet_, &at);
    if (!target) return std::nullopt;
    owner_ = *target;
    // Names of addresses are no hosts': 4.0-7.1.168.192.in-addr.arpa (RFC 2317).
    if (!target->is_host() && type_ != dns::kPtr) continue;
    canonical_ = *target;
    return record;
  }
  return std::nullopt;
}

}  // namespace px::shim
