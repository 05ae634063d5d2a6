// SPDX-License-Identifier: MIT
#include "broker/host/router_list.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>

#include "broker/host/range_set.h"
#include "netlink/kernel_state.h"
#include "util/fd.h"

namespace px::broker {
namespace {

std::string network_text(const LinkNetwork& network) {
  std::array<char, bundle::kAddressTextSize> buffer{};
  const unsigned offset = network.base.is_ipv4() ? kernel::kIpv4PrefixOffset : 0;
  return std::string(bundle::address_text(network.base, buffer)) + "/" +
         std::to_string(network.prefix_length - offset) + " on " + network.interface;
}

std::string networks_text(const Snapshot& snapshot, bool ipv4) {
  std::string text;
  for (const LinkNetwork& network : snapshot.networks) {
    if (network.base.is_ipv4() != ipv4) continue;
    text += (text.empty() ? "" : ", ") + network_text(network);
  }
  return text.empty() ? "none" : text;
}

// "the broadcast address of 192.0.2.0/24 on eth0", where the address is that of an IPv4 network;
// empty for the address of a host. Networks of two addresses or one have neither (RFC 3021).
std::string network_role(const Address& address, const LinkNetwork& network) {
  constexpr unsigned kLongest = 126;
  if (!address.is_ipv4() || !network.base.is_ipv4() || network.prefix_length > kLongest) return {};
  if (bundle::common_prefix_length(network.base, address) < network.prefix_length) return {};
  const plan::Range all = network_range(network.base, network.prefix_length);
  if (address == all.low) return "the address of the network " + network_text(network) + " itself";
  if (address == all.high) return "the broadcast address of " + network_text(network);
  return {};
}

// Why the router can be no host of any network that it is on; empty where it can.
std::string why_no_host(const AddedRouter& router, const Snapshot& snapshot) {
  std::string why;
  for (const LinkNetwork& network : snapshot.networks) {
    if (!router.interface.empty() && router.interface != network.interface) continue;
    if (network.base.is_ipv4() != router.address.is_ipv4() ||
        bundle::common_prefix_length(network.base, router.address) < network.prefix_length) {
      continue;
    }
    why = network_role(router.address, network);
    if (why.empty()) return {};
  }
  return why;
}

Expected<void> write_whole(const std::filesystem::path& file, std::string_view text) {
  const Fd fd(::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!fd) return fail_errno("cannot write " + file.string());
  while (!text.empty()) {
    const ssize_t written = ::write(fd.get(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return fail_errno("cannot write " + file.string());
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fsync(fd.get()) != 0) return fail_errno("cannot write " + file.string());
  return {};
}

}  // namespace

Expected<RouterList> RouterList::open(std::filesystem::path file) {
  RouterList list(std::move(file));
  std::ifstream lines(list.file_);
  if (!lines && errno != ENOENT && errno != ENOTDIR)
    return fail_errno("cannot read " + list.file_.string());
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (line.empty()) continue;
    auto router = router_from_text(line);
    if (!router) {
      return fail(list.file_.string() + ":" + std::to_string(number) + ": " +
                  router.error().message + "; correct or delete the line");
    }
    list.routers_.push_back(std::move(*router));
  }
  return list;
}

Expected<void> RouterList::add(const AddedRouter& router, const Snapshot& snapshot) {
  const std::string text = to_text(router);
  if (std::find(routers_.begin(), routers_.end(), router) != routers_.end()) {
    return fail(text + " was added already");
  }
  if (contains(snapshot.own, router.address)) return fail(text + " is this host's own address");
  if (interfaces_of(router, snapshot).empty()) {
    return fail(text + " is on no network of this host's interfaces; there are: " +
                networks_text(snapshot, router.address.is_ipv4()));
  }
  if (const std::string why = why_no_host(router, snapshot); !why.empty()) {
    return fail(text + " is " + why + ", and no router's; expected a host of that network");
  }
  auto routers = routers_;
  routers.push_back(router);
  return replace(std::move(routers));
}

Expected<void> RouterList::remove(const AddedRouter& router) {
  auto routers = routers_;
  const auto found = std::find(routers.begin(), routers.end(), router);
  if (found == routers.end()) {
    std::string texts;
    for (const AddedRouter& each : routers_) texts += (texts.empty() ? "" : ", ") + to_text(each);
    return fail(to_text(router) + " was not added by `pxctl router add`; what was: " +
                (texts.empty() ? "none" : texts));
  }
  routers.erase(found);
  return replace(std::move(routers));
}

Expected<void> RouterList::replace(std::vector<AddedRouter> routers) {
  std::string text;
  for (const AddedRouter& router : routers) text += to_text(router) + "\n";
  std::error_code error;
  std::filesystem::create_directories(file_.parent_path(), error);
  auto written = file_;
  written += ".new";
  PX_TRY(write_whole(written, text));
  if (::rename(written.c_str(), file_.c_str()) != 0) {
    return fail_errno("cannot replace " + file_.string());
  }
  routers_ = std::move(routers);
  return {};
}

std::vector<std::string> interfaces_of(const AddedRouter& router, const Snapshot& snapshot) {
  std::vector<std::string> names;
  for (const LinkNetwork& network : snapshot.networks) {
    if (!router.interface.empty() && router.interface != network.interface) continue;
    if (network.base.is_ipv4() != router.address.is_ipv4()) continue;
    const auto common = bundle::common_prefix_length(network.base, router.address);
    const bool known = std::find(names.begin(), names.end(), network.interface) != names.end();
    if (common >= network.prefix_length && !known) names.push_back(network.interface);
  }
  return names;
}

}  // namespace px::broker
