// SPDX-License-Identifier: MIT
// The servers in the state of libc's resolver, as programs see it after res_init(3): under a
// profile with servers for all names, these. For programs that build their packets themselves, and
// send them to the servers of that list. Callable wherever res_init is.
#pragma once

#include <resolv.h>

#include <span>

#include "libbundle/core/address.h"

namespace px::shim {

// Puts the servers, at most MAXNS of them, in the place of those that libc has just put there; the
// state is libc's to free. May be no servers: then nobody is to be asked.
void put_servers(std::span<const bundle::Endpoint> servers, res_state state);

}  // namespace px::shim
