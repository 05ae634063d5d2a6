// SPDX-License-Identifier: MIT
#include "dns/packet.h"

#include <algorithm>

namespace px::dns {
namespace {

constexpr std::size_t kQuestionEnd = 4;  // type and class, behind the name
constexpr std::size_t kRecordEnd = 10;   // type, class, time to live and length, likewise

// A name has no more labels than that: who needs more pointers means to cost time.
constexpr std::size_t kMostJumps = 127;

constexpr std::uint16_t kReplyBit = 0x8000;
constexpr std::uint16_t kTruncatedBit = 0x0200;
constexpr std::uint16_t kRecursionBit = 0x0100;
constexpr std::uint16_t kAuthenticBit = 0x0020;
constexpr std::uint16_t kUncheckedBit = 0x0010;
constexpr std::uint16_t kDnssecBit = 0x8000;  // in the lower half of an OPT record's time to live

std::uint8_t byte_at(Packet packet, std::size_t at) {
  return std::to_integer<std::uint8_t>(packet[at]);
}

std::uint16_t number_at(Packet packet, std::size_t at) {
  return static_cast<std::uint16_t>(byte_at(packet, at) << 8 | byte_at(packet, at + 1));
}

void put(std::byte* place, std::uint16_t number) {
  place[0] = static_cast<std::byte>(number >> 8);
  place[1] = static_cast<std::byte>(number & 0xff);
}

std::uint16_t flags_of(const Query& query) {
  return static_cast<std::uint16_t>((query.recursion ? kRecursionBit : 0) |
                                    (query.authentic ? kAuthenticBit : 0) |
                                    (query.unchecked ? kUncheckedBit : 0));
}

std::optional<Question> read_question(Packet packet, std::size_t* at) {
  Question question;
  const auto name = read_name(packet, at);
  if (!name || packet.size() - *at < kQuestionEnd) return std::nullopt;
  question.name = *name;
  question.type = number_at(packet, *at);
  question.query_class = number_at(packet, *at + 2);
  *at += kQuestionEnd;
  return question;
}

}  // namespace

std::optional<Header> header_of(Packet packet) {
  if (packet.size() < kHeaderSize) return std::nullopt;
  const std::uint16_t flags = number_at(packet, 2);
  return Header{.id = number_at(packet, 0),
                .is_reply = (flags & kReplyBit) != 0,
                .opcode = static_cast<std::uint8_t>(flags >> 11 & 0xf),
                .truncated = (flags & kTruncatedBit) != 0,
                .rcode = static_cast<std::uint8_t>(flags & 0xf),
                .questions = number_at(packet, 4),
                .answers = number_at(packet, 6)};
}

std::optional<Name> read_name(Packet packet, std::size_t* position) {
  Name name;
  std::size_t at = *position;
  std::size_t begin = at;  // of the part that is read: a pointer leads before it
  std::size_t jumps = 0;
  while (at < packet.size()) {
    const std::uint8_t length = byte_at(packet, at);
    if ((length & 0xc0) == 0xc0) {
      if (packet.size() - at < 2) return std::nullopt;
      const std::size_t target =
          static_cast<std::size_t>(length & 0x3f) << 8 | byte_at(packet, at + 1);
      if (target >= begin || ++jumps > kMostJumps) return std::nullopt;
      if (jumps == 1) *position = at + 2;
      begin = at = target;
      continue;
    }
    if (length > kMostLabel) return std::nullopt;
    ++at;
    if (length == 0) {
      if (jumps == 0) *position = at;
      return name;
    }
    if (packet.size() - at < length) return std::nullopt;
    const auto* label = reinterpret_cast<const std::uint8_t*>(packet.data() + at);
    if (!name.append({label, length})) return std::nullopt;
    at += length;
  }
  return std::nullopt;
}

std::optional<Question> question_of(Packet packet) {
  const auto header = header_of(packet);
  if (!header || header->questions != 1) return std::nullopt;
  std::size_t at = kHeaderSize;
  return read_question(packet, &at);
}

std::size_t write_query(const Query& query, std::span<std::byte, kMostQuery> packet) {
  std::fill(packet.begin(), packet.end(), std::byte{0});
  put(packet.data(), query.id);
  put(packet.data() + 2, flags_of(query));
  put(packet.data() + 4, 1);
  put(packet.data() + 10, query.extended ? 1 : 0);
  const auto name = std::as_bytes(query.question.name.wire());
  std::byte* place = std::copy(name.begin(), name.end(), packet.data() + kHeaderSize);
  put(place, query.question.type);
  put(place + 2, query.question.query_class);
  place += kQuestionEnd;
  if (query.extended) {
    put(place + 1, kOpt);  // of the root, which is a zero
    put(place + 3, query.datagram_size);
    put(place + 7, query.dnssec ? kDnssecBit : 0);
    place += kOptSize;
  }
  return static_cast<std::size_t>(place - packet.data());
}

std::optional<Query> parse_query(Packet packet) {
  const auto header = header_of(packet);
  if (!header || header->is_reply || header->opcode != 0 || header->questions != 1) {
    return std::nullopt;
  }
  const std::uint16_t additional = number_at(packet, 10);
  if (header->answers != 0 || number_at(packet, 8) != 0 || additional > 1) return std::nullopt;
  std::size_t at = kHeaderSize;
  const auto question = read_question(packet, &at);
  if (!question) return std::nullopt;
  const std::uint16_t flags = number_at(packet, 2);
  Query query{.id = header->id,
              .question = *question,
              .recursion = (flags & kRecursionBit) != 0,
              .authentic = (flags & kAuthenticBit) != 0,
              .unchecked = (flags & kUncheckedBit) != 0};
  if (additional == 0) return at == packet.size() ? std::optional(query) : std::nullopt;
  if (packet.size() - at != kOptSize || byte_at(packet, at) != 0) return std::nullopt;
  if (number_at(packet, at + 1) != kOpt || number_at(packet, at + 9) != 0) return std::nullopt;
  query.extended = true;
  query.datagram_size = number_at(packet, at + 3);
  query.dnssec = (number_at(packet, at + 7) & kDnssecBit) != 0;
  return query;
}

Records::Records(Packet packet) : packet_(packet) {
  const auto header = header_of(packet);
  broken_ = !header;
  if (broken_) return;
  left_ = {header->answers, number_at(packet, 8), number_at(packet, 10)};
  at_ = kHeaderSize;
  for (int i = 0; i < header->questions && !broken_; ++i) {
    broken_ = !read_question(packet_, &at_).has_value();
  }
}

std::optional<Record> Records::next() {
  return section_ == 0 && left_[0] != 0 ? next_of_all() : std::nullopt;
}

std::optional<Record> Records::next_of_all() {
  while (section_ < left_.size() && left_[section_] == 0) ++section_;
  if (broken_ || section_ == left_.size()) return std::nullopt;
  --left_[section_];
  Record record;
  record.section = static_cast<Section>(section_);
  const auto owner = read_name(packet_, &at_);
  broken_ = !owner || packet_.size() - at_ < kRecordEnd;
  if (broken_) return std::nullopt;
  record.owner = *owner;
  record.type = number_at(packet_, at_);
  record.record_class = number_at(packet_, at_ + 2);
  record.ttl =
      static_cast<std::uint32_t>(number_at(packet_, at_ + 4)) << 16 | number_at(packet_, at_ + 6);
  const std::size_t length = number_at(packet_, at_ + 8);
  at_ += kRecordEnd;
  broken_ = packet_.size() - at_ < length;
  if (broken_) return std::nullopt;
  record.position = at_;
  record.data = packet_.subspan(at_, length);
  at_ += length;
  return record;
}

void age(std::span<std::byte> packet, std::uint32_t seconds) {
  Records records(packet);
  while (const auto record = records.next_of_all()) {
    // An OPT record has flags there.
    if (record->type == kOpt) continue;
    const std::uint32_t left = record->ttl - std::min(record->ttl, seconds);
    const auto place = packet.subspan(record->position - 6, 4);
    for (std::size_t i = 0; i < place.size(); ++i) {
      place[i] = static_cast<std::byte>(left >> (24 - 8 * i) & 0xff);
    }
  }
}

}  // namespace px::dns
