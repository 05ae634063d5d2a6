// SPDX-License-Identifier: MIT
#include "preload/names/resolver_servers.h"

#include <netinet/in.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace px::shim {
namespace {

// As libc has them: an IPv6 server stands in memory of its own, beside an entry without a family.
bool put_ipv6(const bundle::Endpoint& server, res_state state, int index) {
  auto* place = static_cast<sockaddr_in6*>(std::malloc(sizeof(sockaddr_in6)));
  if (place == nullptr) return false;
  sockaddr_storage storage;
  (void)bundle::sockaddr_from_endpoint(server, AF_INET6, &storage);
  std::memcpy(place, &storage, sizeof *place);
  state->_u._ext.nsaddrs[index] = place;
  return true;
}

void put_ipv4(const bundle::Endpoint& server, res_state state, int index) {
  sockaddr_storage storage;
  (void)bundle::sockaddr_from_endpoint(server, AF_INET, &storage);
  std::memcpy(&state->nsaddr_list[index], &storage, sizeof(sockaddr_in));
}

}  // namespace

void put_servers(std::span<const bundle::Endpoint> servers, res_state state) {
  // Behind libc's own there may be anything.
  for (int i = 0; i < std::clamp(state->nscount, 0, MAXNS); ++i) {
    std::free(state->_u._ext.nsaddrs[i]);
  }
  state->nscount = 0;
  state->_u._ext.nscount = 0;
  for (int i = 0; i < MAXNS; ++i) {
    state->nsaddr_list[i] = {};
    state->_u._ext.nsaddrs[i] = nullptr;
    state->_u._ext.nssocks[i] = -1;
  }
  for (const bundle::Endpoint& server :
       servers.first(std::min<std::size_t>(servers.size(), MAXNS))) {
    if (server.address.is_ipv4()) {
      put_ipv4(server, state, state->nscount);
    } else if (!put_ipv6(server, state, state->nscount)) {
      break;
    }
    ++state->nscount;
  }
}

}  // namespace px::shim
