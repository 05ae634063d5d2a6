// SPDX-License-Identifier: MIT
#include "broker/link_names/read_link_names.h"

#include <grp.h>
#include <linux/capability.h>
#include <net/if.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <ctime>
#include <nlohmann/json.hpp>
#include <set>

#include "broker/link_names/file_sources.h"
#include "broker/link_names/text_parts.h"

namespace px::broker {
namespace {

using nlohmann::json;
using std::filesystem::path;

constexpr std::size_t kMostText = 256 * 1024;
constexpr uid_t kNobody = 65534;

bool give_up_privileges() {
  if (geteuid() == 0) {
    // In a user namespace there may be no other user.
    const bool other = setgroups(0, nullptr) == 0 && setresgid(kNobody, kNobody, kNobody) == 0 &&
                       setresuid(kNobody, kNobody, kNobody) == 0;
    if (!other && errno != EPERM && errno != EINVAL) return false;
  }
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return false;
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> none{};
  return syscall(SYS_capset, &header, none.data()) == 0;
}

void add(const std::string& interface, LinkNames names, const char* source,
         LinkNamesByInterface& found) {
  names.source = source;
  if (!names.servers.empty()) found.emplace(interface, std::move(names));
}

void add_networkd(const path& root, const InterfaceNames& interfaces, LinkNamesByInterface& found) {
  for (const auto& [index, interface] : interfaces) {
    for (const char* directory : {"run/systemd/netif/links", "run/systemd/netif/leases"}) {
      const std::string text = bounded_file(root / directory / std::to_string(index));
      add(interface, names_of_networkd(text), "systemd-networkd", found);
    }
  }
}

void add_dhclient(const path& root, LinkNamesByInterface& found) {
  const path directory = root / "var/lib/dhcp";
  for (const std::string& file : names_in(directory)) {
    if (!file.starts_with("dhclient") || !file.ends_with(".leases")) continue;
    for (auto& [interface, names] :
         names_of_leases(bounded_file(directory / file), std::time(nullptr))) {
      add(interface, std::move(names), "dhclient", found);
    }
  }
}

void add_resolvconf(const path& root, const std::set<std::string>& interfaces,
                    LinkNamesByInterface& found) {
  const path directory = root / "run/resolvconf/interface";
  for (const std::string& file : names_in(directory)) {
    const std::string interface = interface_of_record(file, interfaces);
    if (interface.empty()) continue;
    add(interface, names_of_resolv_conf(bounded_file(directory / file)), "resolvconf", found);
  }
}

// As many of a link's as are told.
struct Most {
  std::size_t servers;
  std::size_t domains;
};

json report_of(const LinkNames& names, const Most& most) {
  json servers = json::array();
  for (const LinkNames::Server& server : names.servers) {
    if (servers.size() == most.servers) break;
    std::array<char, bundle::kAddressTextSize> buffer{};
    const std::string address(bundle::address_text(server.address, buffer));
    servers.push_back("[" + address + "]:" + std::to_string(server.port));
  }
  json domains = json::array();
  for (const std::string& domain : names.domains) {
    if (domains.size() == most.domains) break;
    domains.push_back(domain);
  }
  return {{"servers", servers}, {"domains", domains}, {"source", names.source}};
}

std::string text_of(const LinkReading& reading, const Most& most) {
  json links = json::object();
  for (const auto& [interface, names] : reading.links) links[interface] = report_of(names, most);
  json services = json::object();
  for (const auto& [service, answer] : reading.services) {
    services[service] = static_cast<int>(answer);
  }
  const json report{{"links", std::move(links)}, {"services", std::move(services)}};
  return report.dump(-1, ' ', true, json::error_handler_t::replace);
}

}  // namespace

InterfaceNames interfaces_of_host() {
  InterfaceNames names;
  struct if_nameindex* all = if_nameindex();
  if (all == nullptr) return names;
  for (const auto* each = all; each->if_index != 0; ++each) {
    names[static_cast<int>(each->if_index)] = each->if_name;
  }
  if_freenameindex(all);
  return names;
}

LinkNamesByInterface names_in_files(const path& root, const InterfaceNames& interfaces) {
  LinkNamesByInterface found;
  std::set<std::string> names;
  for (const auto& [index, name] : interfaces) names.insert(name);
  add_networkd(root, interfaces, found);
  add_dhclient(root, found);
  add_resolvconf(root, names, found);
  add("", names_of_resolv_conf(bounded_file(root / "etc/resolv.conf")), "/etc/resolv.conf", found);
  return found;
}

std::string read_link_names() {
  if (!give_up_privileges()) return {};
  const InterfaceNames interfaces = interfaces_of_host();
  LinkReading reading = names_on_bus(interfaces);
  reading.links.merge(names_in_files("/", interfaces));
  return text_of(reading);
}

std::string text_of(const LinkReading& reading) {
  std::string text;
  for (const Most most : {Most{kMostLinkServers, kMostLinkDomains}, Most{kMostLinkServers, 4},
                          Most{4, 1}, Most{2, 0}, Most{1, 0}}) {
    text = text_of(reading, most);
    if (text.size() <= kMostText) break;
  }
  return text;
}

std::optional<LinkReading> link_reading_in(std::string_view text) try {
  if (text.size() > kMostText) return std::nullopt;
  const json report = json::parse(text, nullptr, false);
  if (!report.is_object() || !report.contains("links")) return std::nullopt;
  LinkReading reading;
  for (const auto& [interface, one] : report.at("links").items()) {
    LinkNames& of_link = reading.links[interface];
    of_link.source = one.value("source", std::string());
    for (const json& server : one.value("servers", json::array())) {
      add_server(server.get<std::string>(), of_link);
    }
    for (const json& domain : one.value("domains", json::array())) {
      add_domain(domain.get<std::string>(), of_link);
    }
  }
  for (const auto& [service, answer] : report.at("services").items()) {
    const int number = answer.get<int>();
    if (number < 0 || number > static_cast<int>(BusAnswer::kLate)) return std::nullopt;
    reading.services[service] = static_cast<BusAnswer>(number);
  }
  return reading;
} catch (const json::exception&) {
  return std::nullopt;
}

}  // namespace px::broker
