// SPDX-License-Identifier: MIT
// The routers that were added by hand (PX-7), and the file that keeps them over restarts of the
// broker: one a line. A change is in the file, whole, before it is in the list. Owned by the
// daemon; single-threaded.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "broker/host/added_router.h"
#include "broker/host/snapshot.h"
#include "util/error.h"

namespace px::broker {

class RouterList {
 public:
  // Reads the file; without one the list is empty. An error names file and line.
  [[nodiscard]] static Expected<RouterList> open(std::filesystem::path file);

  // In the order of addition.
  [[nodiscard]] const std::vector<AddedRouter>& all() const { return routers_; }

  // Refused for what is on no network of the host's interfaces, is the host's own address or that
  // of a network or its broadcast, or stands in the list already.
  [[nodiscard]] Expected<void> add(const AddedRouter& router, const Snapshot& snapshot);
  // Refused for what was not added.
  [[nodiscard]] Expected<void> remove(const AddedRouter& router);

 private:
  explicit RouterList(std::filesystem::path file) : file_(std::move(file)) {}
  [[nodiscard]] Expected<void> replace(std::vector<AddedRouter> routers);

  std::filesystem::path file_;
  std::vector<AddedRouter> routers_;
};

// The interfaces whose networks the router is on now, each once.
[[nodiscard]] std::vector<std::string> interfaces_of(const AddedRouter& router,
                                                     const Snapshot& snapshot);

}  // namespace px::broker
