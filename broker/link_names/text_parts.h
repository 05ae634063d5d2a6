// SPDX-License-Identifier: MIT
// Files and words that others have written: read up to a bound, and believed in nothing. Of all of
// this folder but LinkNamesKeeper and LinkFilesWatch: run in a child process of the broker, which
// has no privileges (LinkNamesKeeper).
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/host/link_names.h"

namespace px::broker {

// Of one link; what is beyond is not looked at.
inline constexpr std::size_t kMostLinkServers = 8;
inline constexpr std::size_t kMostLinkDomains = 16;

// The last part of a large file; empty for what cannot be read, or is no regular file.
[[nodiscard]] std::string bounded_file(const std::filesystem::path& path);
// In the order of their names.
[[nodiscard]] std::vector<std::string> names_in(const std::filesystem::path& directory);

// At each of these characters; empty words are left out.
[[nodiscard]] std::vector<std::string_view> words_of(std::string_view text,
                                                     std::string_view separators = " \t\r");

// ADDRESS, with `%INTERFACE`, `:PORT` and `#NAME` behind it or not. No address of this host itself,
// which would ask by the host's routes, and none of many.
void add_server(std::string_view text, LinkNames& names);
void add_server(const LinkNames::Server& server, LinkNames& names);
// With a dot at the end or not; `~` in front, a domain that is not searched, is passed over.
void add_domain(std::string_view text, LinkNames& names);

}  // namespace px::broker
