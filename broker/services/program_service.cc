// SPDX-License-Identifier: MIT
#include "broker/services/program_service.h"

#include <string>
#include <utility>

#include "broker/identity/processes.h"
#include "broker/identity/profile_choice.h"
#include "broker/publish/publisher.h"
#include "broker/sessions/profile_assignments.h"
#include "broker/sessions/session_table.h"

namespace px::broker {
namespace {

Answer in_other_namespace() {
  return refusal({plan::RefusalCode::kOtherNamespace,
                  "the broker is in another network namespace; run a pxd in this one"});
}

Answer over_quota(const px::Error& error) {
  return refusal({plan::RefusalCode::kQuota, error.message});
}

plan::Welcome welcome_of(std::uint64_t instance, const std::string& profile,
                         std::uint64_t recheck) {
  auto welcome = plan::make<plan::Welcome>();
  welcome.broker_instance = instance;
  welcome.recheck = static_cast<std::uint32_t>(recheck);
  plan::fill_text(welcome.profile, profile);
  return welcome;
}

std::string why_uncovered(const plan::Launch& launch) {
  if (launch.coverage == plan::Coverage::kCovered) return {};
  return launch.why_uncovered[0] == 0 ? "no reason given" : launch.why_uncovered;
}

}  // namespace

void ProgramService::register_with(Dispatcher& dispatcher) {
  dispatcher.add(plan::MessageType::kHello, Brings::kPerhapsOne,
                 [this](const Peer& peer, const Message& message) {
                   const auto parsed = plan::parse<plan::Hello>(message.packet);
                   return parsed ? hello(peer, *parsed, message.descriptor) : no_answer();
                 });
  dispatcher.add(plan::MessageType::kLaunch, Brings::kNone,
                 [this](const Peer& peer, const Message& message) {
                   const auto parsed = plan::parse<plan::Launch>(message.packet);
                   return parsed ? launch(peer, *parsed) : no_answer();
                 });
}

Answer ProgramService::hello(const Peer& peer, const plan::Hello& hello, const Fd& executable) {
  if (hello.layout_version != plan::kLayoutVersion) {
    return refusal({plan::RefusalCode::kOtherVersion,
                    "libpx.so and pxd are of different versions; restart the older one"});
  }
  if (parts_.network_namespace.excludes(hello.network_namespace)) return in_other_namespace();
  parts_.sessions.forget_ended(peer.pid);
  Program program = program_of(peer.pid, peer.uid, executable.get());
  const auto assignment = parts_.assignments.choose(peer.pid, program, hello);
  Answer answer;
  if (assignment && assignment->profile.empty()) {
    parts_.sessions.forget(peer.pid);
    answer.packets.push_back(packet_of(welcome_of(parts_.instance, "", 0)));
    return answer;
  }
  const std::string profile = assignment ? assignment->profile : hello.profile;
  const PlanFile* plan = assignment ? parts_.publisher.find(profile) : nullptr;
  if (plan == nullptr) {
    return refusal({plan::RefusalCode::kNoSuchProfile, no_such_profile(parts_.policy, profile)});
  }
  auto counters = parts_.sessions.hello(peer, *assignment, std::move(program));
  if (!counters) return over_quota(counters.error());
  answer.packets.push_back(packet_of(welcome_of(parts_.instance, profile, plan->recheck())));
  answer.descriptors = {plan->read_only_fd(), counters->get()};
  answer.owned.push_back(std::move(*counters));
  return answer;
}

Answer ProgramService::launch(const Peer& peer, const plan::Launch& launch) {
  const std::string profile = launch.profile;
  if (parts_.network_namespace.excludes(launch.network_namespace)) return in_other_namespace();
  if (parts_.publisher.find(profile) == nullptr) {
    return refusal({plan::RefusalCode::kNoSuchProfile, no_such_profile(parts_.policy, profile)});
  }
  const auto launched =
      parts_.sessions.launch(peer, {profile, Origin::kLaunched, profile}, why_uncovered(launch));
  return launched ? acknowledgement(plan::MessageType::kLaunched) : over_quota(launched.error());
}

}  // namespace px::broker
