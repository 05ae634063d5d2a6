// SPDX-License-Identifier: MIT
#include "dns/address_answers.h"

namespace px::dns {
namespace {

bool is_address(const Record& record) {
  return (record.type == kA && record.data.size() == 4) ||
         (record.type == kAaaa && record.data.size() == 16);
}

}  // namespace

AddressAnswers::AddressAnswers(Packet reply, const NameChain& asked)
    : reply_(reply), records_(reply), names_(asked) {
  if (const auto question = question_of(reply)) owner_ = question->name;
  names_.add(owner_);
}

std::optional<Record> AddressAnswers::next() {
  if (owner_.is_root()) return std::nullopt;
  while (const auto record = records_.next()) {
    if (record->record_class != kInternet || !record->owner.is_same(owner_)) continue;
    if (is_address(*record)) return record;
    if (record->type != kCname) continue;
    std::size_t at = record->position;
    const auto target = read_name(reply_, &at);
    if (!target) return std::nullopt;
    owner_ = *target;
    names_.add(owner_);
  }
  return std::nullopt;
}

}  // namespace px::dns
