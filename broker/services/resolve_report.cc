// SPDX-License-Identifier: MIT
#include "broker/services/resolve_report.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "broker/control/name_reports.h"
#include "dns/packet.h"

namespace px::broker {
namespace {

using nlohmann::json;
using std::chrono::steady_clock;

constexpr std::array<std::uint16_t, plan::kLookupQuestions> kTypes{dns::kA, dns::kAaaa};
constexpr std::array kTypeNames{"A", "AAAA"};

const char* name_of(plan::LookupOutcome outcome) {
  switch (outcome) {
    case plan::LookupOutcome::kAnswered:
      return "answered";
    case plan::LookupOutcome::kNoSuchName:
      return "no-such-name";
    case plan::LookupOutcome::kNoData:
      return "no-data";
    case plan::LookupOutcome::kNoRecovery:
      return "no-recovery";
    case plan::LookupOutcome::kOfHost:
      return "of-host";
    case plan::LookupOutcome::kTryAgain:
      break;
  }
  return "try-again";
}

const char* name_of(AskedServer::End end) {
  switch (end) {
    case AskedServer::End::kAnswered:
      return "answered";
    case AskedServer::End::kFailed:
      return "failed";
    case AskedServer::End::kSilent:
      return "silent";
    case AskedServer::End::kOvertaken:
      break;
  }
  return "overtaken";
}

double milliseconds(steady_clock::duration took) {
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(took).count();
  return static_cast<double>(us) / 1000;
}

std::string hex(const Channel::Reply& reply) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const std::byte byte : reply) {
    text += kDigits[std::to_integer<unsigned>(byte) >> 4];
    text += kDigits[std::to_integer<unsigned>(byte) & 0xf];
  }
  return text;
}

json asked_report(const AskedServer& asked) {
  std::array<char, dns::kNameTextSize> buffer{};
  json report = server_report(asked.server);
  report.erase("usable");
  report.erase("why");
  report["name"] = asked.name.text(buffer);
  report["end"] = name_of(asked.end);
  report["rcode"] = asked.end == AskedServer::End::kAnswered ? json(asked.rcode) : json();
  report["milliseconds"] = milliseconds(asked.took);
  return report;
}

}  // namespace

Expected<ResolveQuestion> resolve_question_of(const json& request, const Policy& policy,
                                              const Lookups& lookups) {
  ResolveQuestion question{request.value("name", ""), request.value("profile", ""),
                           plan::make<plan::Lookup>()};
  const auto name = dns::Name::from_text(question.name);
  if (!name || name->is_root()) return fail("'" + question.name + "' is no name that DNS can have");
  const auto found = std::ranges::find(policy.profiles, question.profile, &Profile::name);
  if (found == policy.profiles.end()) return fail("there is no profile '" + question.profile + "'");
  if (!lookups.has(question.profile)) {
    return fail("the profile '" + question.profile +
                "' has no dns: its programs' names are asked of the host's servers");
  }
  plan::Lookup& lookup = question.lookup;
  std::ranges::copy(kTypes, lookup.types);
  lookup.query_class = dns::kInternet;
  lookup.flags = question.name.ends_with('.') ? 0 : plan::kLookupSearches;
  lookup.ndots = plan::kNdotsOfProfile;
  lookup.name_length = static_cast<std::uint8_t>(name->wire().size());
  std::ranges::copy(name->wire(), lookup.name);
  return question;
}

json resolve_report(const ResolveQuestion& question, const LookupResult& result,
                    steady_clock::duration took) {
  json report{{"name", question.name},
              {"profile", question.profile},
              {"outcome", name_of(result.outcome)},
              {"milliseconds", milliseconds(took)},
              {"asked", json::array()},
              {"replies", json::array()}};
  for (const AskedServer& asked : result.asked) report["asked"].push_back(asked_report(asked));
  for (std::size_t i = 0; i < kTypes.size(); ++i) {
    if (result.replies[i].empty()) continue;
    report["replies"].push_back({{"type", kTypeNames[i]},
                                 {"cached", result.cached[i]},
                                 {"packet", hex(result.replies[i])}});
  }
  return report;
}

}  // namespace px::broker
