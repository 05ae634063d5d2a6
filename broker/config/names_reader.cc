// SPDX-License-Identifier: MIT
#include "broker/config/names_reader.h"

#include <algorithm>
#include <charconv>

#include "broker/config/name_pattern_text.h"
#include "broker/config/rule_reader.h"
#include "broker/config/server_address.h"
#include "broker/config/value_reader.h"
#include "dns/packet.h"
#include "libbundle/core/host_name.h"
#include "plan/name_wire.h"

namespace px::broker {
namespace {

constexpr Key kKeys[] = {{"via"}, {"servers"}, {"search"}, {"options"}, {"redirect"}, {"names"}};
constexpr Key kOptions[] = {{"ndots"}, {"timeout"}, {"attempts"}};
constexpr Choice<bool> kRedirect[] = {{"true", true}, {"false", false}};
constexpr std::string_view kServer = "an IPv4 or IPv6 address, with ':PORT' behind it or not";
constexpr std::string_view kTlsServer = "tls://NAME@ADDRESS, NAME as in the server's certificate";

// The number that is the whole text; nothing where it is none, or not from `low` to `high`.
std::optional<unsigned> number_in(std::string_view text, unsigned low, unsigned high) {
  unsigned number = 0;
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, number);
  if (error != std::errc() || end != last || number < low || number > high) return std::nullopt;
  return number;
}

std::optional<NameServer> plain_server_in(std::string_view text, std::uint16_t port) {
  const auto server = server_address_in(text, port);
  if (!server) return std::nullopt;
  return NameServer{server->address, server->port};
}

constexpr std::string_view kTls = "tls://";

// The same, or tls://NAME@ with it behind.
std::optional<NameServer> server_in(std::string_view text) {
  if (!text.starts_with(kTls)) return plain_server_in(text, NameServer().port);
  text.remove_prefix(kTls.size());
  const std::string_view name = text.substr(0, text.find('@'));
  if (name.size() == text.size() || !bundle::valid_host_name(name) ||
      bundle::ends_in_number(name)) {
    return std::nullopt;
  }
  auto server = plain_server_in(text.substr(name.size() + 1), dns::kTlsPort);
  if (server) server->tls_name = name.substr(0, name.size() - (name.ends_with('.') ? 1 : 0));
  return server;
}

bool is_multicast(const Address& address) {
  return address.is_ipv4() ? (address.bytes[12] & 0xf0) == 0xe0 : address.bytes[0] == 0xff;
}

// Why it can be no name server; empty where it can.
std::string problem_of(std::string_view text, const std::optional<NameServer>& server) {
  if (!server && text.find('%') != text.npos) {
    return "bad server " + in_quotes(text) +
           "; a link-local address stands here without its "
           "interface, which is the path's";
  }
  if (!server) {
    const std::string_view expected = text.starts_with(kTls) ? kTlsServer : kServer;
    return "bad server " + in_quotes(text) + "; expected " + std::string(expected);
  }
  if (server->address.is_loopback_or_unspecified()) {
    return "server " + in_quotes(text) +
           " is this host itself, which asks others by the host's "
           "own routes; expected the servers that are to be asked";
  }
  if (is_multicast(server->address)) return in_quotes(text) + " cannot be a server's address";
  return {};
}

void read_servers(const Value& value, NameGroup& group, Report& report) {
  for (const Value* item : read_one_or_list(value, kServer, report)) {
    const auto text = read_text(*item, kServer, report);
    if (!text) continue;
    const auto server = server_in(*text);
    if (const std::string problem = problem_of(*text, server); !problem.empty()) {
      report.add(item->place, problem);
    } else if (std::ranges::find(group.servers, *server) != group.servers.end()) {
      report.add(item->place, in_quotes(*text) + " is in the list already");
    } else if (group.servers.size() == plan::kMostNameServers) {
      report.add(item->place, "too many servers; at most " +
                                  std::to_string(plan::kMostNameServers) + " are asked");
      return;
    } else {
      group.servers.push_back(*server);
    }
  }
}

std::string place_text(const Position& position) {
  return position.file + ":" + std::to_string(position.line);
}

// Whose name it is must be plain: a pattern stands once in all of `dns`.
bool report_duplicate(const Value& item, const dns::NamePattern& pattern, const Names& others,
                      const NameGroup& group, Report& report) {
  const auto has = [&](const NameGroup& each) {
    return std::ranges::find(each.names, pattern) != each.names.end();
  };
  const auto other = std::ranges::find_if(others.groups, has);
  if (other != others.groups.end()) {
    report.add(item.place, in_quotes(item.text) + " is in the names of the entry at " +
                               place_text(other->position) + " already");
  } else if (has(group)) {
    report.add(item.place, in_quotes(item.text) + " is in the list already");
  } else {
    return false;
  }
  return true;
}

void read_patterns(const Value& value, const Names& others, NameGroup& group, Report& report) {
  constexpr std::string_view kPattern = "a name, or '*.' and a domain";
  for (const Value* item : read_one_or_list(value, kPattern, report)) {
    const auto text = read_text(*item, kPattern, report);
    if (!text) continue;
    const auto pattern = parse_name_pattern(*text);
    if (!pattern) {
      report.add(item->place, pattern.error());
    } else if (!report_duplicate(*item, *pattern, others, group, report)) {
      group.names.push_back(*pattern);
    }
  }
}

struct SearchDomain {
  std::string text;
  Position position;
};

void read_search(const Value& value, std::vector<SearchDomain>& search, Report& report) {
  constexpr std::string_view kDomain = "a domain, such as corp.example";
  std::size_t bytes = 0;
  for (const SearchDomain& before : search) bytes += before.text.size() + 2;
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
    search.push_back({std::string(*text), report.at(item->place)});
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

void read_options(const Value& value, NameGroup& group, std::optional<std::uint8_t>& ndots,
                  Report& report) {
  const Map map = Map::read(value, "a map with " + quoted(kOptions), kOptions, report);
  std::uint8_t own_ndots = 0;
  read_number(map, "ndots", 0, kMostNdots, "", own_ndots, report);
  if (map.get("ndots") != nullptr) ndots = std::max(ndots.value_or(0), own_ndots);
  read_number(map, "timeout", 1, plan::kLongestNameTimeoutS, "s", group.timeout_s, report);
  read_number(map, "attempts", 1, plan::kMostNameAttempts, "", group.attempts, report);
}

// What programs ask by themselves are plain questions, about any name.
void read_redirect(const Map& map, NameGroup& group, Report& report) {
  read_choice(map, "redirect", kRedirect, group.redirect, report);
  if (!group.redirect) return;
  const Value& value = *map.get("redirect");
  const auto has_tls = [](const NameServer& server) { return !server.tls_name.empty(); };
  if (!map.lacks("names")) {
    report.add(
        value.place,
        "redirect in an entry with 'names': programs that ask servers themselves ask for all "
        "names; it belongs to the entry without 'names'");
  } else if (std::ranges::any_of(group.servers, has_tls)) {
    report.add(
        value.place,
        "redirect to a server by TLS: programs that ask servers themselves ask by plain DNS; "
        "expected servers without 'tls://'");
  }
}

// One of `dns`, or all of it.
class NamesReader {
 public:
  NamesReader(Draft& draft, Report& report) : draft_(draft), report_(report) {}

  void read_group(const Value& value);
  [[nodiscard]] Names finish(const Position& position);

 private:
  Draft& draft_;
  Report& report_;
  Names names_;
  std::vector<SearchDomain> search_;
  std::optional<std::uint8_t> ndots_;
};

void NamesReader::read_group(const Value& value) {
  NameGroup group;
  group.position = report_.at(value.place);
  const Map map = Map::read(value, "a map with " + quoted(kKeys), kKeys, report_);
  if (const Value* names = map.get("names")) read_patterns(*names, names_, group, report_);
  if (const Value* via = map.get("via")) group.via = read_via(*via, draft_, report_);
  if (const Value* servers = map.get("servers")) read_servers(*servers, group, report_);
  if (const Value* search = map.get("search")) read_search(*search, search_, report_);
  if (const Value* options = map.get("options")) read_options(*options, group, ndots_, report_);
  read_redirect(map, group, report_);
  const bool is_map = value.kind == Kind::kMap || value.kind == Kind::kNothing;
  if (is_map && map.lacks("via")) {
    report_.add(value.place, "dns without 'via'; expected a path or a list of paths");
  }
  const bool is_rest = is_map && map.lacks("names");
  const auto rest = std::ranges::find_if(names_.groups, &NameGroup::is_rest);
  if (is_rest && rest != names_.groups.end()) {
    report_.add(value.place,
                "a second entry without 'names': all names that are no other entry's "
                "are asked of the one at " +
                    place_text(rest->position));
  }
  names_.groups.push_back(std::move(group));
}

// A name that it makes would be asked nowhere.
bool is_of_nobody(const Names& names, const std::string& domain) {
  const auto own = dns::Name::from_text("a");
  const auto above = dns::Name::from_text(domain);
  const auto name = own && above ? own->below(*above) : std::nullopt;
  return name && names.group_of(*name) == nullptr;
}

Names NamesReader::finish(const Position& position) {
  names_.position = position;
  names_.ndots = ndots_.value_or(names_.ndots);
  for (SearchDomain& domain : search_) {
    if (is_of_nobody(names_, domain.text)) {
      draft_.policy.warnings.push_back(
          {domain.position, "names of " + in_quotes(domain.text) +
                                " are in no entry's 'names', so it is not searched; add '*." +
                                domain.text + "' to an entry, or leave it out"});
    }
    names_.search.push_back(std::move(domain.text));
  }
  return std::move(names_);
}

}  // namespace

Names read_names(const Value& value, Draft& draft, Report& report) {
  NamesReader reader(draft, report);
  if (value.kind == Kind::kList) {
    const std::string expected = "a map with " + quoted(kKeys);
    for (const Value* item : read_one_or_list(value, expected, report)) reader.read_group(*item);
  } else {
    reader.read_group(value);
  }
  return reader.finish(report.at(value.place));
}

}  // namespace px::broker
