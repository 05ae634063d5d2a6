// SPDX-License-Identifier: MIT
// Any bytes as a DNS packet: what is read of it lies in it, and ends.
#include <array>

#include "dns/address_answers.h"
#include "dns/packet.h"
#include "preload/names/answer_records.h"
#include "tests/fuzz/fuzz_target.h"

namespace px::dns {
namespace {

using fuzz::require;

// A name's text stands for the name.
void check(const Name& name) {
  std::array<char, kNameTextSize> buffer;
  const auto again = Name::from_text(name.text(buffer));
  require(again && *again == name);
  require(Name::from_wire(name.wire()) == name);
}

void read_records(Packet packet) {
  Records records(packet);
  std::size_t count = 0;
  while (const auto record = records.next()) {
    require(record->position + record->data.size() <= packet.size());
    check(record->owner);
    ++count;
  }
  require(count <= packet.size());
  Records all(packet);
  std::size_t of_all = 0;
  while (const auto record = all.next_of_all()) {
    require(record->position >= 6 && record->position + record->data.size() <= packet.size());
    ++of_all;
  }
  require(of_all >= count);
  for (const std::uint16_t type : {kA, kAaaa, kPtr}) {
    shim::AnswerRecords answers(packet, type);
    while (const auto record = answers.next()) require(record->type == type);
    check(answers.canonical());
  }
}

// Each answer's names can be matched, and are names.
void read_addresses(Packet packet) {
  std::size_t count = 0;
  for (AddressAnswers answers(packet); answers.next();) {
    for (auto rest = answers.names().wire(); const auto name = next_name(&rest);) check(*name);
    require(NameChain::from_wire(answers.names().wire()).wire().size() ==
            answers.names().wire().size());
    ++count;
  }
  require(count <= packet.size());
}

// A question that is understood is written as it was read.
void read_query(Packet packet) {
  const auto query = parse_query(packet);
  if (!query) return;
  std::array<std::byte, kMostQuery> written;
  const std::size_t size = write_query(*query, written);
  const auto again = parse_query(std::span(written).first(size));
  require(again && again->question.name == query->question.name && again->id == query->id &&
          again->extended == query->extended && again->dnssec == query->dnssec);
}

}  // namespace
}  // namespace px::dns

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto packet = std::as_bytes(std::span(data, size));
  px::dns::read_records(packet);
  px::dns::read_addresses(packet);
  px::dns::read_query(packet);
  if (const auto question = px::dns::question_of(packet)) px::dns::check(question->name);
  return 0;
}
