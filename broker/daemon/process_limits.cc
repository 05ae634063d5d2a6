// SPDX-License-Identifier: MIT
#include "broker/daemon/process_limits.h"

#include <sys/resource.h>

#include <algorithm>

namespace px::broker {
namespace {

constexpr std::size_t kConnectionsPerUser = 1024;
constexpr std::size_t kSessionsPerUser = 4096;
constexpr std::size_t kLookups = 256;

}  // namespace

std::size_t raise_descriptor_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

// A connection takes two descriptors, a session one; a quarter is for all else. Three users can
// have what is promised at a time, and others find places even then (Places).
Server::Limits connection_limits(std::size_t descriptors) {
  const std::size_t in_all = descriptors * 7 / 40;
  return {std::min(kConnectionsPerUser, in_all / 3), in_all};
}

SessionTable::Limits session_limits(std::size_t descriptors) {
  const std::size_t in_all = descriptors * 2 / 5;
  return {std::min(kSessionsPerUser, in_all), in_all};
}

// A lookup asks two servers at a time, each by a datagram and then by TCP. A quarter is one user's.
Lookups::Limits lookup_limits(std::size_t descriptors) {
  const std::size_t at_a_time = std::clamp<std::size_t>(descriptors / 32, 4, kLookups);
  return {.per_user = at_a_time / 4, .at_a_time = at_a_time};
}

}  // namespace px::broker
