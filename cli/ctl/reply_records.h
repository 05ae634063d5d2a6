// SPDX-License-Identifier: MIT
// What a DNS server answered, for people: the bytes are a server's, and may be anything. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace px::cli {

// The records of the answer section, as far as they can be read: list of {"name", "type" (its
// number, where it has no name here), "ttl" in seconds, "data"}. `packet`: hexadecimal digits.
[[nodiscard]] nlohmann::json records_of_reply(std::string_view packet);

// "no such name"; the number, where it has no name here.
[[nodiscard]] std::string rcode_text(int rcode);

}  // namespace px::cli
