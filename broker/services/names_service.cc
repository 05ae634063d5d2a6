// SPDX-License-Identifier: MIT
#include "broker/services/names_service.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "broker/names/lookups.h"
#include "broker/sessions/session_table.h"

namespace px::broker {

void NamesService::register_with(Dispatcher& dispatcher) {
  dispatcher.add(plan::MessageType::kLookup, [this](const Peer& peer, Packet packet) {
    const auto parsed = plan::parse<plan::Lookup>(packet);
    return parsed ? look_up(peer, *parsed) : no_answer();
  });
}

Answer NamesService::look_up(const Peer& peer, const plan::Lookup& lookup) {
  const Session* session = parts_.sessions.find_connected(peer.pid);
  if (session == nullptr) {
    return refusal({plan::RefusalCode::kNotAllowed, "the process has not said hello"});
  }
  const std::string& profile = session->assignment.profile;
  if (!parts_.lookups.has(profile)) {
    return refusal({plan::RefusalCode::kNotAllowed,
                    "the profile '" + profile + "' has no name servers (any more)"});
  }
  Answer answer;
  answer.later = [this, user = session->uid, pid = peer.pid, profile, lookup](Reply reply) {
    parts_.lookups.look_up(user, profile, lookup,
                           [this, pid, reply = std::move(reply)](const LookupResult& result) {
                             const bool failed = result.outcome == plan::LookupOutcome::kTryAgain;
                             parts_.sessions.count_name(pid, failed);
                             reply(lookup_answer(result));
                           });
  };
  return answer;
}

Answer lookup_answer(const LookupResult& result) {
  std::vector<std::byte> bytes;
  auto message = plan::make<plan::LookupAnswer>();
  message.outcome = result.outcome;
  message.lifetime_s = result.lifetime;
  for (std::size_t i = 0; i < plan::kLookupQuestions; ++i) {
    const Channel::Reply& reply = result.replies[i];
    message.lengths[i] = static_cast<std::uint32_t>(reply.size());
    bytes.insert(bytes.end(), reply.begin(), reply.end());
  }
  Answer answer;
  do {
    const std::size_t rest = bytes.size() - message.offset;
    const std::size_t part = std::min(rest, plan::LookupAnswer::kPart);
    message.header.flags = part < rest ? plan::kMoreFollows : 0;
    std::ranges::fill(message.bytes, 0);
    std::copy_n(reinterpret_cast<const std::uint8_t*>(bytes.data()) + message.offset, part,
                message.bytes);
    answer.packets.push_back(packet_of(message));
    message.offset += static_cast<std::uint32_t>(part);
  } while (message.offset < bytes.size());
  answer.then = Answer::Then::kClose;
  return answer;
}

}  // namespace px::broker
