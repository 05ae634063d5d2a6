// SPDX-License-Identifier: MIT
#include "broker/config/names_reader.h"

#include <algorithm>
#include <charconv>

#include "broker/config/rule_reader.h"
#include "broker/config/value_reader.h"
#include "libbundle/core/host_name.h"
#include "plan/name_wire.h"

namespace px::broker {
namespace {

// A key of a list of `dns`, each with names of its own.
constexpr Key kKeys[] = {{"via"}, {"servers"}, {"search"}, {"options"}, {"names", true}};
constexpr Key kOptions[] = {{"ndots"}, {"timeout"}, {"attempts"}};
constexpr std::string_view kServer = "an IPv4 or IPv6 address, with ':PORT' behind it or not";

// The number that is the whole text; nothing where it is none, or not from `low` to `high`.
std::optional<unsigned> number_in(std::string_view text, unsigned low, unsigned high) {
  unsigned number = 0;
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, number);
  if (error != std::errc() || end != last || number < low || number > high) return std::nullopt;
  return number;
}

std::optional<NameServer> server_with_port(std::string_view address, std::string_view port) {
  const auto parsed = bundle::address_from_text(address);
  const auto number = number_in(port, 1, 65535);
  if (!parsed || !number) return std::nullopt;
  return NameServer{*parsed, static_cast<std::uint16_t>(*number)};
}

// ADDRESS, IPV4:PORT or [IPV6]:PORT.
std::optional<NameServer> server_in(std::string_view text) {
  if (const auto address = bundle::address_from_text(text)) return NameServer{*address};
  const auto colon = text.rfind(':');
  if (colon == text.npos) return std::nullopt;
  std::string_view address = text.substr(0, colon);
  const bool bracketed = address.starts_with('[') && address.ends_with(']');
  if (bracketed) address = address.substr(1, address.size() - 2);
  if (bracketed != (address.find(':') != address.npos)) return std::nullopt;
  return server_with_port(address, text.substr(colon + 1));
}

bool is_multicast(const Address& address) {
  return address.is_ipv4() ? (address.bytes[12] & 0xf0) == 0xe0 : address.bytes[0] == 0xff;
}

// Why it can be no name server; empty where it can.
std::string problem_of(std::string_view text, const std::optional<NameServer>& server) {
  if (text.starts_with("tls://")) return "DNS over TLS is not yet supported";
  if (!server && text.find('%') != text.npos) {
    return "bad server " + in_quotes(text) +
           "; a link-local address stands here without its "
           "interface, which is the path's";
  }
  if (!server) return "bad server " + in_quotes(text) + "; expected " + std::string(kServer);
  if (server->address.is_loopback_or_unspecified()) {
    return "server " + in_quotes(text) +
           " is this host itself, which asks others by the host's "
           "own routes; expected the servers that are to be asked";
  }
  if (is_multicast(server->address)) return in_quotes(text) + " cannot be a server's address";
  return {};
}

void read_servers(const Value& value, Names& names, Report& report) {
  for (const Value* item : read_one_or_list(value, kServer, report)) {
    const auto text = read_text(*item, kServer, report);
    if (!text) continue;
    const auto server = server_in(*text);
    if (const std::string problem = problem_of(*text, server); !problem.empty()) {
      report.add(item->place, problem);
    } else if (std::ranges::find(names.servers, *server) != names.servers.end()) {
      report.add(item->place, in_quotes(*text) + " is in the list already");
    } else if (names.servers.size() == plan::kMostNameServers) {
      report.add(item->place, "too many servers; at most " +
                                  std::to_string(plan::kMostNameServers) + " are asked");
      return;
    } else {
      names.servers.push_back(*server);
    }
  }
}

void read_search(const Value& value, Names& names, Report& report) {
  constexpr std::string_view kDomain = "a domain, such as corp.example";
  std::size_t bytes = 0;
  for (const Value* item : read_one_or_list(value, kDomain, report)) {
    const auto text = read_text(*item, kDomain, report);
    if (!text) continue;
    if (!bundle::valid_host_name(*text)) {
      report.add(item->place,
                 "bad domain " + in_quotes(*text) + "; expected " + std::string(kDomain));
      continue;
    }
    bytes += text->size() + 2;
    if (bytes > plan::kSearchSize) {
      report.add(item->place, "too many domains; together they have at most " +
                                  std::to_string(plan::kSearchSize) + " bytes");
      return;
    }
    names.search.emplace_back(*text);
  }
}

void read_number(const Map& map, std::string_view key, unsigned low, unsigned high,
                 std::string_view unit, std::uint8_t& number, Report& report) {
  const Value* value = map.get(key);
  if (value == nullptr) return;
  const std::string expected = "a number from " + std::to_string(low) + std::string(unit) + " to " +
                               std::to_string(high) + std::string(unit);
  const auto text = read_text(*value, expected, report);
  if (!text) return;
  std::string_view digits = *text;
  const bool has_unit = digits.ends_with(unit);
  if (has_unit) digits.remove_suffix(unit.size());
  const auto found = has_unit ? number_in(digits, low, high) : std::nullopt;
  if (!found) {
    report.add(value->place,
               "bad " + std::string(key) + " " + in_quotes(*text) + "; expected " + expected);
    return;
  }
  number = static_cast<std::uint8_t>(*found);
}

void read_options(const Value& value, Names& names, Report& report) {
  const Map map = Map::read(value, "a map with " + quoted(kOptions), kOptions, report);
  read_number(map, "ndots", 0, kMostNdots, "", names.ndots, report);
  read_number(map, "timeout", 1, plan::kLongestNameTimeoutS, "s", names.timeout_s, report);
  read_number(map, "attempts", 1, plan::kMostNameAttempts, "", names.attempts, report);
}

}  // namespace

Names read_names(const Value& value, Draft& draft, Report& report) {
  Names names;
  names.position = report.at(value.place);
  if (value.kind == Kind::kList) {
    report.add(value.place,
               "a list of 'dns', with servers by name, is not yet supported; expected "
               "a map with " +
                   quoted(kKeys));
    return names;
  }
  const Map map = Map::read(value, "a map with " + quoted(kKeys), kKeys, report);
  if (const Value* via = map.get("via")) names.via = read_via(*via, draft, report);
  if (const Value* servers = map.get("servers")) read_servers(*servers, names, report);
  if (const Value* search = map.get("search")) read_search(*search, names, report);
  if (const Value* options = map.get("options")) read_options(*options, names, report);
  const bool is_map = value.kind == Kind::kMap || value.kind == Kind::kNothing;
  if (is_map && map.lacks("via")) {
    report.add(value.place, "dns without 'via'; expected a path or a list of paths");
  }
  if (is_map && map.lacks("servers")) {
    report.add(value.place,
               "dns without 'servers'; expected " + std::string(kServer) + ", or a list of these");
  }
  return names;
}

}  // namespace px::broker
