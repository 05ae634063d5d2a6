// SPDX-License-Identifier: MIT
// Whether the kernel by itself or the broker ("userspace") makes the subflows of new MPTCP
// connections in this network namespace. A file keeps what was set before, so that the broker after
// a killed one can still give it back.
#pragma once

#include <filesystem>

#include "util/error.h"

namespace px::broker {

class MptcpPathManager {
 public:
  // What was set before is remembered in this directory. Without `may_change` it is used only where
  // somebody else has set it: nobody would set it back after a private broker was killed.
  MptcpPathManager(const std::filesystem::path& directory, bool may_change);

  // The broker decides from now on. An error leaves it as it was: no such kernel, no privilege.
  [[nodiscard]] Expected<void> take();
  // As it was before take(), of this broker or one before it; nothing where it was not taken, or
  // somebody has set something else since.
  [[nodiscard]] Expected<void> give_back();

 private:
  std::filesystem::path setting_;
  std::filesystem::path memory_;
  bool may_change_;
};

}  // namespace px::broker
