// SPDX-License-Identifier: MIT
// Any bytes as a policy file: a policy that keeps what policy.h promises, or complaints that are
// safe to print.
#include <algorithm>
#include <bit>
#include <string_view>

#include "broker/config/policy.h"
#include "plan/wire.h"
#include "tests/fuzz/fuzz_target.h"

namespace px::broker {
namespace {

using fuzz::require;

bool printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

void check_rule(const Policy& policy, const Rule& rule) {
  require(!(rule.to.empty() && rule.to_names.empty()) && printable(rule.to_text) &&
          rule.position.line > 0);
  require(rule.via.empty() == (rule.action != plan::RuleAction::kVia));
  for (const std::string& via : rule.via) require(policy.path(via) != nullptr);
  for (const Network& network : rule.to) require(network.prefix_length <= 128);
  for (const PortRange& ports : rule.ports) require(ports.low != 0 && ports.low <= ports.high);
}

void check_listen(const Policy& policy, const Listen& listen) {
  require(listen.via.empty() == (listen.mode != plan::ListenMode::kReceivedSource));
  require(listen.mode == plan::ListenMode::kSystem || listen.position.line > 0);
  for (const std::string& via : listen.via) require(policy.path(via) != nullptr);
}

void check_policy(const Policy& policy) {
  for (const PathSelector& path : policy.paths) {
    require(plan::valid_profile_name(path.name) && policy.path(path.name) == &path);
    require(path.interface.size() < plan::kInterfaceNameSize);
    require(!path.interface.empty() || path.source || path.gateway);
    require(!path.gateway || path.gateway_position.line > 0);
  }
  for (const Profile& profile : policy.profiles) {
    require(plan::valid_profile_name(profile.name) && policy.profile(profile.name) == &profile);
    for (const Rule& rule : profile.rules) check_rule(policy, rule);
    check_listen(policy, profile.listen);
  }
  require(std::popcount(policy.mark_mask) >= kFewestMarkBits);
  require(!policy.default_profile || policy.profile(*policy.default_profile) != nullptr);
}

void check_diagnostics(const std::vector<Diagnostic>& diagnostics) {
  require(!diagnostics.empty());
  const auto before = [](const Diagnostic& a, const Diagnostic& b) {
    return std::pair(a.position.line, a.position.column) <
           std::pair(b.position.line, b.position.column);
  };
  require(std::is_sorted(diagnostics.begin(), diagnostics.end(), before));
  for (const Diagnostic& diagnostic : diagnostics) {
    require(printable(to_string(diagnostic)) && !diagnostic.message.empty());
    require(diagnostic.position.line >= 0 && diagnostic.position.column >= 0);
  }
}

}  // namespace
}  // namespace px::broker

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto policy = px::broker::parse_policy(text, "fuzz.yaml");
  if (policy) {
    px::broker::check_policy(*policy);
  } else {
    px::broker::check_diagnostics(policy.error());
  }
  return 0;
}
