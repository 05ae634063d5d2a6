// SPDX-License-Identifier: MIT
// The directory of the socket and the plans, held by one broker at a time.
#pragma once

#include <filesystem>

#include "util/error.h"
#include "util/fd.h"

namespace px::broker {

class RunDirectory {
 public:
  // Makes the directory (mode 0755) if it is missing, and locks it. An error where another broker
  // has it.
  [[nodiscard]] static Expected<RunDirectory> acquire(const std::filesystem::path& path);

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  // Whether any process that may be looked at has one of the plans mapped.
  [[nodiscard]] bool plans_in_use() const;
  // Removes what a broker made in it, and the directory if nothing else is there.
  void remove() const;

 private:
  RunDirectory(std::filesystem::path path, Fd lock)
      : path_(std::move(path)), lock_(std::move(lock)) {}

  std::filesystem::path path_;
  Fd lock_;
};

}  // namespace px::broker
