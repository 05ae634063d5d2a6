// SPDX-License-Identifier: MIT
#include "cli/ctl/connections.h"

#include <net/if.h>
#include <netinet/in.h>

#include <array>
#include <charconv>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "netlink/socket_dump.h"

namespace px::cli {
namespace {

using netlink::ConnectedSocket;
using netlink::SocketState;
using nlohmann::json;

const char* transport_of(int protocol) {
  switch (protocol) {
    case IPPROTO_MPTCP:
      return "mptcp";
    case IPPROTO_SCTP:
      return "sctp";
    case IPPROTO_UDP:
      return "udp";
    default:
      return "tcp";
  }
}

const char* name_of(SocketState state) {
  if (state == SocketState::kConnecting) return "connecting";
  return state == SocketState::kConnected ? "connected" : "closing";
}

std::string written(const bundle::Address& address) {
  std::array<char, bundle::kAddressTextSize> buffer{};
  return std::string(bundle::address_text(address, buffer));
}

// The number in "socket:[NUMBER]".
std::optional<ino_t> socket_in(const std::string& link) {
  constexpr std::string_view kBefore = "socket:[";
  if (!link.starts_with(kBefore)) return std::nullopt;
  ino_t inode = 0;
  const char* last = link.data() + link.size();
  if (std::from_chars(link.data() + kBefore.size(), last, inode).ec != std::errc()) {
    return std::nullopt;
  }
  return inode;
}

// Nothing where this user may not look.
std::optional<std::set<ino_t>> sockets_of_process(pid_t pid) {
  const auto directory = "/proc/" + std::to_string(pid) + "/fd";
  std::error_code error;
  std::filesystem::directory_iterator files(directory, error);
  if (error) return std::nullopt;
  std::set<ino_t> inodes;
  for (; !error && files != std::filesystem::directory_iterator(); files.increment(error)) {
    std::error_code closed;  // meanwhile
    const auto inode = socket_in(std::filesystem::read_symlink(files->path(), closed).string());
    if (inode) inodes.insert(*inode);
  }
  return inodes;
}

std::string network_namespace_of(const std::string& process) {
  std::error_code ignored;
  return std::filesystem::read_symlink("/proc/" + process + "/ns/net", ignored).string();
}

// By source address; null where two interfaces have it.
using InterfaceBySource = std::map<std::string, json>;

InterfaceBySource interface_by_source(const json& paths) {
  InterfaceBySource found;
  for (const json& entry : paths.at("entries")) {
    const json& interface = entry.at("interface");
    const auto [known, is_new] =
        found.try_emplace(entry.at("source").get<std::string>(), interface);
    if (!is_new && known->second != interface) known->second = nullptr;
  }
  return found;
}

json interface_of(const ConnectedSocket& socket, const std::string& source,
                  const InterfaceBySource& interfaces) {
  std::array<char, IF_NAMESIZE> name{};
  if (socket.interface != 0 &&
      if_indextoname(static_cast<unsigned>(socket.interface), name.data()) != nullptr) {
    return name.data();
  }
  const auto found = interfaces.find(source);
  return found == interfaces.end() ? json() : found->second;
}

json connection_report(const ConnectedSocket& socket, const InterfaceBySource& interfaces) {
  const std::string source = written(socket.local.address);
  return {{"transport", transport_of(socket.protocol)},
          {"state", name_of(socket.state)},
          {"source", source},
          {"source_port", socket.local.port},
          {"destination", written(socket.remote.address)},
          {"port", socket.remote.port},
          {"interface", interface_of(socket, source, interfaces)}};
}

// By inode. Of an MPTCP connection its subflows, which are TCP sockets with its inode.
std::multimap<ino_t, ConnectedSocket> by_inode(const std::vector<ConnectedSocket>& sockets) {
  std::set<ino_t> mptcp;
  for (const ConnectedSocket& socket : sockets) {
    if (socket.protocol == IPPROTO_MPTCP) mptcp.insert(socket.inode);
  }
  std::multimap<ino_t, ConnectedSocket> found;
  for (ConnectedSocket socket : sockets) {
    if (socket.inode == 0 || socket.protocol == IPPROTO_MPTCP) continue;
    if (mptcp.contains(socket.inode)) socket.protocol = IPPROTO_MPTCP;
    found.emplace(socket.inode, socket);
  }
  return found;
}

}  // namespace

Expected<json> connections_of(const json& programs, const json& paths) {
  PX_ASSIGN_OR_RETURN(const auto sockets, netlink::dump_connected_sockets());
  const auto known = by_inode(sockets);
  const InterfaceBySource interfaces = interface_by_source(paths);
  const std::string here = network_namespace_of("self");
  json reports = json::array();
  for (const json& program : programs.at("programs")) {
    const auto pid = program.at("pid").get<pid_t>();
    json report = {{"pid", pid},
                   {"uid", program.at("uid")},
                   {"exe", program.at("exe")},
                   {"profile", program.at("profile")},
                   {"why_unseen", nullptr},
                   {"connections", json::array()}};
    const auto inodes = sockets_of_process(pid);
    if (!inodes) {
      report["why_unseen"] = "its descriptors cannot be seen by this user";
    } else if (network_namespace_of(std::to_string(pid)) != here) {
      report["why_unseen"] = "it is in another network namespace";
    } else {
      for (const ino_t inode : *inodes) {
        const auto [begin, end] = known.equal_range(inode);
        for (auto each = begin; each != end; ++each) {
          report["connections"].push_back(connection_report(each->second, interfaces));
        }
      }
    }
    reports.push_back(std::move(report));
  }
  return reports;
}

}  // namespace px::cli
