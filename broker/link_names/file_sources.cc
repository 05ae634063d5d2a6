// SPDX-License-Identifier: MIT
#include "broker/link_names/file_sources.h"

#include <algorithm>
#include <optional>

#include "broker/link_names/text_parts.h"

namespace px::broker {
namespace {

// "expire 2 2026/12/01 03:45:43;" in UTC, "expire epoch 1796096743; # ...", or "expire never;".
bool has_expired(std::string_view value, std::time_t now) {
  const auto words = words_of(value, " \t;");
  if (words.empty() || words[0] == "never") return false;
  if (words[0] == "epoch" && words.size() > 1) {
    return std::atoll(std::string(words[1]).c_str()) <= now;
  }
  std::tm time{};
  const std::string text =
      words.size() < 3 ? "" : std::string(words[1]) + " " + std::string(words[2]);
  const char* end = strptime(text.c_str(), "%Y/%m/%d %H:%M:%S", &time);
  return end == nullptr || timegm(&time) <= now;
}

std::string_view unquoted(std::string_view text) {
  const std::size_t first = text.find('"');
  const std::size_t last = text.rfind('"');
  return first < last && last != text.npos ? text.substr(first + 1, last - first - 1) : "";
}

// What stands behind the key; nothing where the line is another one.
std::optional<std::string_view> value_of(std::string_view line, std::string_view key) {
  if (!line.starts_with(key)) return std::nullopt;
  return line.substr(key.size());
}

struct Lease {
  std::string interface;
  LinkNames names;
  bool expired = false;
};

void read_lease_line(std::string_view line, std::time_t now, Lease& lease) {
  if (const auto name = value_of(line, "interface ")) lease.interface = unquoted(*name);
  if (const auto time = value_of(line, "expire ")) lease.expired = has_expired(*time, now);
  if (const auto servers = value_of(line, "option domain-name-servers ")) {
    for (const auto word : words_of(*servers, " ,;")) add_server(word, lease.names);
  }
  if (const auto domain = value_of(line, "option domain-name ")) {
    for (const auto word : words_of(unquoted(*domain))) add_domain(word, lease.names);
  }
  if (const auto domains = value_of(line, "option domain-search ")) {
    for (const auto word : words_of(*domains, " ,;\"")) add_domain(word, lease.names);
  }
}

}  // namespace

LinkNames names_of_resolv_conf(std::string_view text) {
  LinkNames names;
  for (const std::string_view line : words_of(text, "\n")) {
    const auto words = words_of(line);
    if (words.size() < 2) continue;
    if (words[0] == "nameserver") add_server(words[1], names);
    if (words[0] != "search" && words[0] != "domain") continue;
    // The last of them counts.
    names.domains.clear();
    for (std::size_t i = 1; i < words.size(); ++i) add_domain(words[i], names);
  }
  return names;
}

LinkNames names_of_networkd(std::string_view text) {
  LinkNames names;
  for (const std::string_view line : words_of(text, "\n")) {
    if (const auto servers = value_of(line, "DNS=")) {
      for (const auto word : words_of(*servers)) add_server(word, names);
    }
    for (const std::string_view key : {"DOMAINS=", "DOMAINNAME=", "DOMAIN_SEARCH_LIST="}) {
      const auto domains = value_of(line, key);
      if (!domains) continue;
      for (const auto word : words_of(*domains)) add_domain(word, names);
    }
  }
  return names;
}

LinkNamesByInterface names_of_leases(std::string_view text, std::time_t now) {
  LinkNamesByInterface found;
  std::optional<Lease> lease;
  for (std::string_view line : words_of(text, "\n")) {
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    if (line.starts_with("lease {")) {
      lease.emplace();
    } else if (line.starts_with('}') && lease) {
      if (!lease->expired) found[lease->interface] = std::move(lease->names);
      if (lease->expired) found.erase(lease->interface);
      lease.reset();
    } else if (lease) {
      read_lease_line(line, now, *lease);
    }
  }
  std::erase_if(found,
                [](const auto& each) { return each.first.empty() || each.second.servers.empty(); });
  return found;
}

std::string interface_of_record(std::string_view file, const std::set<std::string>& interfaces) {
  std::string longest;
  for (const std::string& name : interfaces) {
    const bool is_its = file == name || file.starts_with(name + ".") || file.ends_with("." + name);
    if (is_its && name.size() > longest.size()) longest = name;
  }
  return longest;
}

}  // namespace px::broker
