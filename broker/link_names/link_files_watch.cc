// SPDX-License-Identifier: MIT
#include "broker/link_names/link_files_watch.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <string_view>

namespace px::broker {
namespace {

// Directories, and the file in them; "": any. systemd-resolved and NetworkManager write their own
// resolv.conf anew, in a file of another name first, also where it stays as it was.
struct Place {
  std::string_view directory;
  std::string_view file;
};
constexpr Place kPlaces[] = {{"run/systemd/resolve", ""},
                             {"run/systemd/netif/links", ""},
                             {"run/systemd/netif/leases", ""},
                             {"run/NetworkManager", ""},
                             {"var/lib/dhcp", ""},
                             {"run/resolvconf/interface", ""},
                             {"etc", "resolv.conf"}};
constexpr std::uint32_t kEvents =
    IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR;
// At a time: whoever may write there must not keep the broker busy.
constexpr int kMostReads = 4;

}  // namespace

Expected<void> LinkFilesWatch::begin() {
  const int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (fd < 0) return fail_errno("inotify");
  events_.assign(fd);
  watch_directories();
  await_event();
  return {};
}

void LinkFilesWatch::watch_directories() {
  for (const Place& place : kPlaces) {
    std::filesystem::path directory = root_;
    for (const auto& part : std::filesystem::path(place.directory)) {
      watch(directory, part.string());
      directory /= part;
    }
    watch(directory, std::string(place.file));
  }
}

void LinkFilesWatch::watch(const std::filesystem::path& directory, const std::string& name) {
  const int watch = inotify_add_watch(events_.native_handle(), directory.c_str(), kEvents);
  if (watch >= 0) names_[watch].insert(name);
}

void LinkFilesWatch::await_event() {
  events_.async_wait(asio::posix::stream_descriptor::wait_read,
                     [this](const std::error_code& error) {
                       if (error) return;
                       if (read_events()) {
                         watch_directories();
                         changed_();
                       }
                       await_event();
                     });
}

bool LinkFilesWatch::read_events() {
  bool relevant = false;
  alignas(inotify_event) std::array<char, 4096> buffer;
  for (int i = 0; i < kMostReads; ++i) {
    const ssize_t size = read(events_.native_handle(), buffer.data(), buffer.size());
    if (size <= 0) break;
    for (std::size_t at = 0; at < static_cast<std::size_t>(size);) {
      inotify_event event;
      std::memcpy(&event, buffer.data() + at, sizeof event);
      const std::string name = event.len == 0 ? "" : buffer.data() + at + sizeof event;
      at += sizeof event + event.len;
      if ((event.mask & IN_Q_OVERFLOW) != 0) relevant = true;
      if ((event.mask & IN_IGNORED) != 0) names_.erase(event.wd);
      const auto names = names_.find(event.wd);
      if (names == names_.end()) continue;
      relevant = relevant || names->second.contains("") || names->second.contains(name);
    }
  }
  return relevant;
}

}  // namespace px::broker
