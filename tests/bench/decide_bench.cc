// SPDX-License-Identifier: MIT
// What one decision costs, by number and kind of rules.
#include <benchmark/benchmark.h>

#include "tests/unit/plan/plan_fixture.h"

namespace px::broker {
namespace {

Profile networks(int rules) {
  Profile profile;
  for (int i = 0; i < rules; ++i) {
    Rule rule = via("any", {"lan"});
    rule.to = {{bundle::ipv4_address(0xac100000u + static_cast<std::uint32_t>(i) * 256), 96 + 24}};
    profile.rules.push_back(rule);
  }
  profile.rules.push_back(via("any", {"lte"}));
  return profile;
}

Profile ports(int rules) {
  Profile profile;
  for (int i = 0; i < rules; ++i) {
    Rule rule = via("any", {"lan"});
    const auto port = static_cast<std::uint16_t>(i + 1);
    rule.ports = {{port, port}};
    profile.rules.push_back(rule);
  }
  profile.rules.push_back(via("any", {"lte"}));
  return profile;
}

void decide(benchmark::State& state, const Profile& profile, const plan::Call& call) {
  const auto plan = plan_of(policy_of(profile), host());
  for (auto _ : state) benchmark::DoNotOptimize(plan::decide(plan, call));
}

void by_network(benchmark::State& state) {
  const int rules = static_cast<int>(state.range(0));
  decide(state, networks(rules), call_to("172.16.1.1"));
}
BENCHMARK(by_network)->Arg(10)->Arg(100)->Arg(10000);

void by_default_rule(benchmark::State& state) {
  decide(state, networks(static_cast<int>(state.range(0))), call_to("8.8.8.8"));
}
BENCHMARK(by_default_rule)->Arg(10)->Arg(100)->Arg(10000);

void by_port(benchmark::State& state) {
  decide(state, ports(static_cast<int>(state.range(0))), call_to("8.8.8.8", 5));
}
BENCHMARK(by_port)->Arg(10)->Arg(100)->Arg(10000);

void compile(benchmark::State& state) {
  const Policy policy = policy_of(networks(static_cast<int>(state.range(0))));
  const Snapshot snapshot = host();
  for (auto _ : state) benchmark::DoNotOptimize(plan_of(policy, snapshot));
}
BENCHMARK(compile)->Arg(10)->Arg(10000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace px::broker

BENCHMARK_MAIN();
