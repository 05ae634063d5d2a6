// SPDX-License-Identifier: MIT
#include "broker/sessions/answer.h"

#include <cstring>
#include <utility>

namespace px::broker {
namespace {

Answer answer_of(Answer::Packet packet, Answer::Then then) {
  Answer answer;
  answer.packets.push_back(std::move(packet));
  answer.then = then;
  return answer;
}

}  // namespace

Answer no_answer() {
  return {};
}

Answer acknowledgement(plan::MessageType type) {
  const auto header = plan::header_of(type, sizeof(plan::MessageHeader));
  return answer_of(packet_of(header), Answer::Then::kServe);
}

Answer refusal(const Rejection& rejection) {
  auto refusal = plan::make<plan::Refusal>();
  refusal.code = rejection.code;
  plan::fill_text(refusal.reason, rejection.reason);
  return answer_of(packet_of(refusal), Answer::Then::kClose);
}

Answer text_answer(std::string_view text) {
  constexpr std::size_t kText = plan::kLargestMessage - sizeof(plan::MessageHeader);
  Answer answer;
  do {
    const std::string_view part = text.substr(0, kText);
    text.remove_prefix(part.size());
    Answer::Packet packet(sizeof(plan::MessageHeader) + part.size());
    const auto header = plan::header_of(plan::MessageType::kReply, packet.size(),
                                        text.empty() ? 0 : plan::kMoreFollows);
    std::memcpy(packet.data(), &header, sizeof header);
    std::memcpy(packet.data() + sizeof header, part.data(), part.size());
    answer.packets.push_back(std::move(packet));
  } while (!text.empty());
  return answer;
}

}  // namespace px::broker
