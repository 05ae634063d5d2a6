// SPDX-License-Identifier: MIT
// A place in a policy file. A value.
#pragma once

#include <string>

namespace px::broker {

// Line and column count from 1; line 0 means the file as a whole.
struct Position {
  std::string file;
  int line = 0;
  int column = 0;
};

}  // namespace px::broker
