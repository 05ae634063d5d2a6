// SPDX-License-Identifier: MIT
// Name servers of links from files, in the forms of those who write them. Pure: what stands in a
// file that is none of theirs gives nothing.
#pragma once

#include <ctime>
#include <set>
#include <string>
#include <string_view>

#include "broker/host/link_names.h"

namespace px::broker {

// resolv.conf(5), as libc has it and as resolvconf keeps it for each link.
[[nodiscard]] LinkNames names_of_resolv_conf(std::string_view text);

// systemd-networkd's state of a link, or of a lease: DNS=, DOMAINS=, DOMAINNAME=.
[[nodiscard]] LinkNames names_of_networkd(std::string_view text);

// dhclient.leases(5): of each interface's last lease, unless it has expired.
[[nodiscard]] LinkNamesByInterface names_of_leases(std::string_view text, std::time_t now);

// Whose file this is of /run/resolvconf/interface: IF, IF.PROGRAM or PROGRAM.IF ("tun.wg0"). Empty:
// none of these.
[[nodiscard]] std::string interface_of_record(std::string_view file,
                                              const std::set<std::string>& interfaces);

}  // namespace px::broker
