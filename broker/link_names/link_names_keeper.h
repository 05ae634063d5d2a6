// SPDX-License-Identifier: MIT
// Keeps what is known of the name servers of links up to date, from when a policy needs it. A child
// process reads (Errands): what networks and other services have written, and the message bus, are
// nothing for a process with privileges, nor may it wait for them. Owned by the daemon; single-
// threaded.
#pragma once

#include <asio/io_context.hpp>
#include <filesystem>
#include <functional>

#include "broker/control/errands.h"
#include "broker/host/link_names.h"
#include "broker/link_names/known_link_names.h"
#include "broker/link_names/link_files_watch.h"
#include "util/timer.h"

namespace px::broker {

class LinkNamesKeeper {
 public:
  struct Options {
    std::function<void(LinkNamesByInterface)> changed;
    std::function<void(const Error&)> failed;
    // In the child.
    Errands::Work read;
    std::filesystem::path root = "/";
  };

  LinkNamesKeeper(asio::io_context& context, Errands& errands, Options options);

  // From now on. At once if this is the first time.
  void begin();
  // Links may have changed.
  void look();
  [[nodiscard]] bool has_begun() const { return begun_; }
  // Whether it has been read, or could not be.
  [[nodiscard]] bool has_looked() const { return looked_; }

 private:
  void read();
  void was_read(const std::string& text);

  Errands& errands_;
  Options options_;
  LinkFilesWatch watch_;
  Timer timer_;
  Timer again_;
  KnownLinkNames known_;
  bool begun_ = false;
  bool looked_ = false;
  bool reading_ = false;
  bool missed_ = false;  // a change, while it was read
};

}  // namespace px::broker
