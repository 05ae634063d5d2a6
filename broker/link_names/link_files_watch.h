// SPDX-License-Identifier: MIT
// Says when a file may have changed that name servers of links are read from, or that tells of such
// a change: systemd-resolved and NetworkManager write files of their own whenever a link's servers
// change. Owned by LinkNamesKeeper; single-threaded, and never waits.
#pragma once

#include <asio/posix/stream_descriptor.hpp>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>

#include "util/error.h"

namespace px::broker {

class LinkFilesWatch {
 public:
  // `root`: "/" but for tests.
  LinkFilesWatch(asio::io_context& context, std::filesystem::path root,
                 std::function<void()> changed)
      : events_(context), root_(std::move(root)), changed_(std::move(changed)) {}

  [[nodiscard]] Expected<void> begin();

 private:
  // Directories that are not there yet are waited for.
  void watch_directories();
  void watch(const std::filesystem::path& directory, const std::string& name);
  void await_event();
  // Whether any of the events that have come is about one of the names.
  [[nodiscard]] bool read_events();

  asio::posix::stream_descriptor events_;
  std::filesystem::path root_;
  std::function<void()> changed_;
  std::map<int, std::set<std::string>> names_;  // by watch: "", all
};

}  // namespace px::broker
