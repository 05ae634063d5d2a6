// SPDX-License-Identifier: MIT
#include "broker/daemon/process_limits.h"

#include <sys/resource.h>

#include <algorithm>

namespace px::broker {
namespace {

constexpr std::size_t kConnectionsPerUser = 1024;
constexpr std::size_t kSessionsPerUser = 4096;

}  // namespace

std::size_t raise_descriptor_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

// A connection takes two descriptors. It takes more than a few users to use up what all have.
Server::Limits connection_limits(std::size_t descriptors) {
  const std::size_t in_all = descriptors / 8;
  return {std::min(kConnectionsPerUser, in_all / 8), in_all};
}

// A session takes one descriptor.
SessionTable::Limits session_limits(std::size_t descriptors) {
  const std::size_t in_all = descriptors / 2;
  return {std::min(kSessionsPerUser, in_all), in_all};
}

}  // namespace px::broker
