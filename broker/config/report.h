// SPDX-License-Identifier: MIT
// Collects the complaints about one file, and adds the file's name to their places.
// Borrows the list that it adds to, which must outlive it; not for concurrent use. The list is
// sorted only by finish().
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "broker/config/document.h"
#include "broker/config/policy.h"

namespace px::broker {

class Report {
 public:
  Report(std::string file, std::vector<Diagnostic>& diagnostics)
      : file_(std::move(file)), diagnostics_(diagnostics) {}

  void add(Place place, std::string message) {
    diagnostics_.push_back({at(place), std::move(message)});
  }
  [[nodiscard]] Position at(Place place) const { return {file_, place.line, place.column}; }
  [[nodiscard]] const std::string& file() const { return file_; }

 private:
  std::string file_;
  std::vector<Diagnostic>& diagnostics_;
};

}  // namespace px::broker
