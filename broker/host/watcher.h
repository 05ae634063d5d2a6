// SPDX-License-Identifier: MIT
// Keeps a snapshot of the host's network current. Any change of links, addresses, routes or rules
// has everything read again: at once, then once per quiet interval for what came meanwhile. Owned
// by the daemon; single-threaded, everything on the io_context's thread.
#pragma once

#include <asio/io_context.hpp>
#include <functional>
#include <memory>
#include <vector>

#include "broker/host/added_router.h"
#include "broker/host/snapshot.h"
#include "util/error.h"

namespace px::broker {

struct WatcherOptions {
  int receive_buffer = 1 << 20;  // bytes, of the event socket
  // Called where links, addresses, rules or px's own routes have moved without a difference to the
  // snapshot: a link that went down and up again took routes with it, and another may have flushed
  // rules or tables.
  std::function<void()> disturbed = {};
};

class Watcher {
 public:
  using Changed = std::function<void(Snapshot)>;
  using Failed = std::function<void(const Error&)>;

  // `changed` is called from the io_context with each snapshot that differs from the one before,
  // start()'s and refresh()'s included. `failed` is called when the kernel could not be read: the
  // snapshot before stays, and reading is tried again until it succeeds.
  Watcher(asio::io_context& context, Changed changed, Failed failed = {},
          WatcherOptions options = {});
  ~Watcher();
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  // Subscribes, then reads for the first time: no change after it is missed. Call once.
  [[nodiscard]] Expected<Snapshot> start();

  // The routers to be next hops beside those of the routes, from the next reading on.
  void set_added_routers(std::vector<AddedRouter> routers);

  // The name servers of links that snapshots have, from the next reading on.
  void set_link_names(LinkNamesByInterface names);

  // Reads now, without calling `changed`. Valid after start().
  [[nodiscard]] Expected<Snapshot> refresh();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace px::broker
