// SPDX-License-Identifier: MIT
#include "broker/services/program_service.h"

#include <string>
#include <utility>

#include "broker/identity/processes.h"
#include "broker/identity/profile_choice.h"
#include "broker/publish/publisher.h"
#include "broker/services/task_answer.h"
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
  dispatcher.add(plan::MessageType::kHello, [this](const Peer& peer, Packet packet) {
    const auto parsed = plan::parse<plan::Hello>(packet);
    return parsed ? hello(peer, *parsed, {}) : no_answer();
  });
  dispatcher.add_with_descriptor(
      plan::MessageType::kHello, [this](const Peer& peer, Packet packet,
                                        const PassedDescriptor& executable, const Reply& reply) {
        const auto parsed = plan::parse<plan::Hello>(packet);
        parsed ? hello(peer, *parsed, executable, reply) : reply(no_answer());
      });
  dispatcher.add(plan::MessageType::kLaunch, [this](const Peer& peer, Packet packet) {
    const auto parsed = plan::parse<plan::Launch>(packet);
    return parsed ? launch(peer, *parsed) : no_answer();
  });
}

std::optional<Answer> ProgramService::refuse(const plan::Hello& hello) const {
  if (hello.layout_version != plan::kLayoutVersion) {
    return refusal({plan::RefusalCode::kOtherVersion,
                    "libpx.so and pxd are of different versions; restart the older one"});
  }
  if (parts_.network_namespace.excludes(hello.network_namespace)) return in_other_namespace();
  return std::nullopt;
}

// A program that is refused has its descriptor looked at by nobody.
void ProgramService::hello(const Peer& peer, const plan::Hello& hello,
                           const PassedDescriptor& executable, const Reply& reply) {
  if (auto refused = refuse(hello)) return reply(std::move(*refused));
  Task task;
  task.kind = TaskKind::kPath;
  executable.ask(task, [this, &peer, hello, reply](const auto& result) {
    auto failure = answer_unless_done(result, plan::RefusalCode::kNotAllowed);
    reply(failure ? std::move(*failure)
                  : this->hello(peer, hello, std::string((*result)->text_view())));
  });
}

Answer ProgramService::hello(const Peer& peer, const plan::Hello& hello,
                             const std::string& executable) {
  if (auto refused = refuse(hello)) return std::move(*refused);
  parts_.sessions.forget_ended(peer.pid);
  Program program = program_of(peer.pid, peer.uid, executable);
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
