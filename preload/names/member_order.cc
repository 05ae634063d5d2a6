// SPDX-License-Identifier: MIT
#include "preload/names/member_order.h"

#include <netinet/in.h>

#include <algorithm>
#include <functional>

namespace px::shim {
namespace {

using bundle::Bundle;
using bundle::Endpoint;

plan::Verdict verdict_for(Decider& decider, const Endpoint& member) {
  return decider.decide(
      {.destination = member.address, .port = member.port, .scope = member.scope});
}

bool is_hopeless(Decider& decider, const MemberHealth& health, const Endpoint& member) {
  const plan::Verdict verdict = verdict_for(decider, member);
  switch (verdict.action) {
    case plan::Action::kRefuse:
    case plan::Action::kFail:
      return true;
    case plan::Action::kVia:
      return health.of(member, verdict.entry.interface_index) == bundle::Health::kDead;
    case plan::Action::kSystem:
      break;
  }
  return health.of(member, 0) == bundle::Health::kDead;
}

// As libc finds it out of every address that it sorts.
bool host_has_route(const SystemCalls& system, const Endpoint& member) {
  const KeepErrno keep;
  const int fd = system.socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP);
  if (fd < 0) return false;
  sockaddr_storage storage;
  const socklen_t length = bundle::sockaddr_from_endpoint(member, AF_INET6, &storage);
  const bool found = system.connect(fd, reinterpret_cast<sockaddr*>(&storage), length) == 0;
  (void)system.close(fd);
  return found;
}

bool has_egress(const SystemCalls& system, Decider& decider, const Endpoint& member) {
  const plan::Action action = verdict_for(decider, member).action;
  if (action == plan::Action::kSystem) return host_has_route(system, member);
  return action == plan::Action::kVia;
}

}  // namespace

Bundle best_first(Decider& decider, const MemberHealth& health, const Bundle& bundle) {
  Bundle ordered;
  Bundle hopeless;
  for (const Endpoint& member : bundle.members()) {
    Bundle& part = is_hopeless(decider, health, member) ? hopeless : ordered;
    part.endpoints[part.count++] = member;
  }
  std::copy(hopeless.members().begin(), hopeless.members().end(),
            ordered.endpoints.begin() + ordered.count);
  ordered.count += hopeless.count;
  return ordered;
}

Bundle ipv6_first(const SystemCalls& system, Decider& decider, const Bundle& bundle) {
  const auto is_ipv4 = [](const Endpoint& member) { return member.address.is_ipv4(); };
  const auto members = bundle.members();
  const auto ipv6 = std::find_if_not(members.begin(), members.end(), is_ipv4);
  if (std::is_partitioned(members.begin(), members.end(), std::not_fn(is_ipv4)) ||
      !has_egress(system, decider, *ipv6)) {
    return bundle;
  }
  Bundle ordered = bundle;
  auto* const end =
      std::remove_copy_if(members.begin(), members.end(), ordered.endpoints.begin(), is_ipv4);
  std::copy_if(members.begin(), members.end(), end, is_ipv4);
  return ordered;
}

bool all_near(Decider& decider, const Bundle& bundle) {
  const auto members = bundle.members();
  return std::all_of(members.begin(), members.end(), [&decider](const Endpoint& member) {
    const plan::Reason reason = verdict_for(decider, member).reason;
    return reason == plan::Reason::kLoopback || reason == plan::Reason::kOwnAddress ||
           reason == plan::Reason::kOnLink;
  });
}

}  // namespace px::shim
