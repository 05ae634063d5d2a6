// SPDX-License-Identifier: MIT
#include "broker/control/explain_request.h"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>

#include "broker/identity/processes.h"
#include "broker/sessions/session_table.h"
#include "util/clock.h"

namespace px::broker {
namespace {

using nlohmann::json;

std::string optional_text(const json& request, const char* key) {
  const auto found = request.find(key);
  return found == request.end() || found->is_null() ? std::string() : found->get<std::string>();
}

// Of texts, those that are names.
dns::NameChain names_in(const json& request) {
  dns::NameChain names;
  for (const json& text : request.value("names", json::array())) {
    if (const auto name = dns::Name::from_text(text.get<std::string>())) names.add(*name);
  }
  return names;
}

// The program that a request is about: a process, or an executable.
class ProgramAsked {
 public:
  ProgramAsked(const json& request, uid_t user)
      : executable_(optional_text(request, "program")), user_(user) {
    const auto pid = request.find("pid");
    if (pid != request.end() && pid->is_number()) pid_ = pid->get<pid_t>();
  }

  [[nodiscard]] bool is(const Session& session) const {
    return pid_ ? session.pid == *pid_ : session.executable == executable_;
  }
  // Nothing for a process that is gone.
  [[nodiscard]] std::optional<Program> program() const {
    return pid_ ? program_of(*pid_) : Program{executable_, user_, ""};
  }

 private:
  std::optional<pid_t> pid_;
  std::string executable_;
  uid_t user_;
};

// As the program has it now, or would be given it at its first hello.
void fill_in_profile(Question& question, const ProgramAsked& asked, std::optional<uid_t> owner,
                     const Policy& policy, const SessionTable& sessions) {
  for (const Session* session : sessions.all()) {
    if ((owner && session->uid != *owner) || !asked.is(*session)) continue;
    question.profile = session->assignment.profile;
    question.user = session->uid;
    question.profile_from = "session";
  }
  auto program = asked.program();
  if (program && owner && program->uid != *owner) program.reset();
  const Profile* match = program ? best_match(policy, *program) : nullptr;
  if (!question.profile && match != nullptr) {
    question.profile = match->name;
    question.profile_from = "match";
  }
  if (!question.profile && policy.default_profile) {
    question.profile = policy.default_profile;
    question.profile_from = "default-profile";
  }
}

}  // namespace

Expected<Question> question_of(const json& request, uid_t user, std::optional<uid_t> owner,
                               const Policy& policy, const SessionTable& sessions) {
  const std::string destination = request.value("destination", "");
  const auto address = bundle::address_from_text(destination);
  if (!address) return fail("'" + destination + "' is not an address");
  Question question;
  question.now_ms = monotonic_ms();
  question.boottime_ms = boottime_ms();
  question.user = user;
  question.names = names_in(request);
  question.call.destination = *address;
  question.call.port = request.value("port", std::uint16_t{0});
  question.call.scope = request.value("scope", std::uint32_t{0});
  const std::string transport = request.value("transport", "tcp");
  const auto* known = std::ranges::find(kTransportNames, transport, &TransportName::name);
  if (known == std::end(kTransportNames)) {
    return fail("unknown transport '" + transport + "'; expected tcp, udp, icmp or other");
  }
  question.call.transport = known->transport;
  question.profile_from = "none";
  const ProgramAsked asked(request, user);
  if (const std::string profile = optional_text(request, "profile"); !profile.empty()) {
    question.profile = profile;
    question.profile_from = "request";
  } else {
    fill_in_profile(question, asked, owner, policy, sessions);
  }
  return question;
}

}  // namespace px::broker
