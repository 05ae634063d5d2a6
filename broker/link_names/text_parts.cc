// SPDX-License-Identifier: MIT
#include "broker/link_names/text_parts.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "libbundle/core/host_name.h"
#include "util/fd.h"

namespace px::broker {
namespace {

constexpr off_t kMostBytes = 256 * 1024;
constexpr std::size_t kMostFiles = 1024;

bool is_multicast(const bundle::Address& address) {
  return address.is_ipv4() ? (address.bytes[12] & 0xf0) == 0xe0 : address.bytes[0] == 0xff;
}

std::string_view before(std::string_view text, char mark) {
  return text.substr(0, text.find(mark));
}

}  // namespace

std::string bounded_file(const std::filesystem::path& path) {
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat status {};
  if (!fd || fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) return {};
  const off_t from = std::max<off_t>(0, status.st_size - kMostBytes);
  std::string text(static_cast<std::size_t>(kMostBytes), '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t some =
        pread(fd.get(), text.data() + size, text.size() - size, from + static_cast<off_t>(size));
    if (some <= 0) break;
    size += static_cast<std::size_t>(some);
  }
  text.resize(size);
  return text;
}

std::vector<std::string> names_in(const std::filesystem::path& directory) {
  std::vector<std::string> names;
  std::error_code error;
  std::filesystem::directory_iterator file(directory, error);
  while (!error && file != std::filesystem::directory_iterator() && names.size() < kMostFiles) {
    names.push_back(file->path().filename().string());
    file.increment(error);
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string_view> words_of(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> words;
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(separators), text.size()));
    if (text.empty()) return words;
    const std::size_t end = std::min(text.find_first_of(separators), text.size());
    words.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

void add_server(std::string_view text, LinkNames& names) {
  text = before(text, '#');
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t end = text.find("]:");
    if (end != text.npos) port = text.substr(end + 2);
    text = before(text.substr(1), ']');
  } else if (std::ranges::count(text, ':') == 1) {
    port = text.substr(text.find(':') + 1);
    text = before(text, ':');
  }
  LinkNames::Server server;
  const auto address = bundle::address_from_text(before(text, '%'));
  if (!address) return;
  server.address = *address;
  if (!port.empty()) {
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), server.port);
    if (error != std::errc() || end != port.data() + port.size()) return;
  }
  add_server(server, names);
}

void add_server(const LinkNames::Server& server, LinkNames& names) {
  const bool is_one = server.port != 0 && !server.address.is_loopback_or_unspecified() &&
                      !is_multicast(server.address);
  if (!is_one || names.servers.size() == kMostLinkServers) return;
  if (std::ranges::find(names.servers, server) == names.servers.end()) {
    names.servers.push_back(server);
  }
}

void add_domain(std::string_view text, LinkNames& names) {
  if (text.ends_with('.')) text.remove_suffix(1);
  if (!bundle::valid_host_name(text) || names.domains.size() == kMostLinkDomains) return;
  if (std::ranges::find(names.domains, text) == names.domains.end()) {
    names.domains.emplace_back(text);
  }
}

}  // namespace px::broker
