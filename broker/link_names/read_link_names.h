// SPDX-License-Identifier: MIT
// The name servers of all links of the host, each link's from the first source that has any:
// systemd-resolved, NetworkManager, systemd-networkd, dhclient, resolvconf; and what
// /etc/resolv.conf says. As text, to come from a child process.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "broker/host/link_names.h"
#include "broker/link_names/bus_sources.h"

namespace px::broker {

// The host's interfaces now.
[[nodiscard]] InterfaceNames interfaces_of_host();

// Those of files below `root`: "/" but for tests.
[[nodiscard]] LinkNamesByInterface names_in_files(const std::filesystem::path& root,
                                                  const InterfaceNames& interfaces);

// All of it, for a child process: gives up this process' privileges first.
[[nodiscard]] std::string read_link_names();

// Never too much to be read: of many links, it has fewer domains of each, and then fewer servers.
[[nodiscard]] std::string text_of(const LinkReading& reading);
// Nothing where the text is none of these.
[[nodiscard]] std::optional<LinkReading> link_reading_in(std::string_view text);

}  // namespace px::broker
