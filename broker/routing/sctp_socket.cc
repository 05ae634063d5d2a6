// SPDX-License-Identifier: MIT
#include "broker/routing/sctp_socket.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <sstream>

#include "libbundle/core/sctp.h"
#include "util/fd.h"
#include "util/socket_option.h"

namespace px::broker {
namespace {

using bundle::Address;
using bundle::Endpoint;

constexpr int kLocalPortRange = 51;  // IP_LOCAL_PORT_RANGE: newer than Debian 12's headers
// Of a line of /proc/net/sctp/assocs.
constexpr std::size_t kLocalPortWord = 11;
constexpr std::size_t kFirstSourceWord = 13;

struct SocketAddress {
  explicit SocketAddress(const Endpoint& endpoint)
      : length(bundle::sockaddr_from_endpoint(
            endpoint, endpoint.address.is_ipv4() ? AF_INET : AF_INET6, &storage)) {}
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }

  sockaddr_storage storage{};
  socklen_t length;
};

std::uint16_t local_port(int socket, Address* address = nullptr) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  auto* generic = reinterpret_cast<sockaddr*>(&storage);
  if (getsockname(socket, generic, &length) != 0) return 0;
  const auto endpoint = bundle::endpoint_from_sockaddr(generic, length);
  if (endpoint && address != nullptr) *address = endpoint->address;
  return endpoint ? endpoint->port : 0;
}

bool number_from(const std::string& text, std::uint16_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

// Nobody is kept from the port for longer than this takes.
bool is_bound(std::uint16_t port, Endpoint source) {
  source.port = port;
  const SocketAddress address(source);
  const Fd socket(::socket(address.get()->sa_family, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_SCTP));
  return socket && bind(socket.get(), address.get(), address.length) != 0 && errno == EADDRINUSE;
}

}  // namespace

bool is_sctp(int socket) {
  return socket_option(socket, SOL_SOCKET, SO_PROTOCOL) == IPPROTO_SCTP &&
         socket_option(socket, SOL_SOCKET, SO_TYPE) == SOCK_STREAM;
}

bool chooses_port(int socket) {
  return socket_option<std::uint32_t>(socket, IPPROTO_IP, kLocalPortRange).value_or(0) != 0;
}

Expected<void> bind_source(int socket, const Endpoint& source) {
  const SocketAddress address(source);
  if (bind(socket, address.get(), address.length) == 0) return {};
  return fail_errno("the socket cannot be bound");
}

Expected<void> bind_further_source(int socket, const Endpoint& source) {
  const SocketAddress address(source);
  // EINVAL, too, for what is no address to be bound to: then nothing will leave from it.
  if (setsockopt(socket, bundle::kSolSctp, bundle::kSctpBindxAdd, address.get(), address.length) ==
          0 ||
      errno == EINVAL) {
    return {};
  }
  return fail_errno("the socket cannot be bound to a further address");
}

std::uint16_t port_of(int socket) {
  return local_port(socket);
}

Expected<Address> unsteered_source(const Endpoint& destination) {
  const SocketAddress to(destination);
  const Fd socket(::socket(to.get()->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  Address source;
  if (!socket || connect(socket.get(), to.get(), to.length) != 0 ||
      local_port(socket.get(), &source) == 0) {
    return fail_errno("the host has no route there");
  }
  return source;
}

SctpPorts SctpPorts::read() {
  std::ifstream stream("/proc/net/sctp/assocs");
  return SctpPorts(std::string(std::istreambuf_iterator<char>(stream), {}));
}

SctpPorts::SctpPorts(const std::string& associations) {
  std::istringstream lines(associations);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream stream(line);
    const std::vector<std::string> words(std::istream_iterator<std::string>(stream), {});
    std::uint16_t port = 0;
    if (words.size() <= kLocalPortWord || !number_from(words[kLocalPortWord], port)) continue;
    auto& sources = sources_[port];
    for (std::size_t i = kFirstSourceWord; i < words.size() && words[i] != "<->"; ++i) {
      const bool primary = words[i].front() == '*';
      const auto address = bundle::address_from_text(std::string_view(words[i]).substr(primary));
      if (address) sources.push_back(*address);
    }
  }
}

bool SctpPorts::in_use(std::uint16_t port, std::span<const Endpoint> sources) const {
  const auto found = sources_.find(port);
  const auto is_there = [&](const Endpoint& source) {
    return found != sources_.end() &&
           std::ranges::find(found->second, source.address) != found->second.end();
  };
  return std::ranges::any_of(sources, is_there) ||
         std::ranges::any_of(sources,
                             [&](const Endpoint& source) { return is_bound(port, source); });
}

}  // namespace px::broker
