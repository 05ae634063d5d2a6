// SPDX-License-Identifier: MIT
// The facts in an ELF program's headers that decide how it will be run. They are read by hand,
// because the file may be anything: every offset is checked, every read is bounded, nothing is
// mapped. A file that is cut while it is read gives an error, not SIGBUS. Not thread-safe with
// regard to the descriptor's owner; no state.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "util/error.h"

namespace px::cli {

struct ElfFacts {
  unsigned bits = 0;         // 32 or 64
  bool own_machine = false;  // this program's class, byte order and processor
  // The rest is read only where own_machine holds.
  std::optional<std::string> interpreter;  // PT_INTERP; absent: statically linked
  bool go = false;                         // carries the Go linker's note
  std::vector<std::string> needed;         // DT_NEEDED
};

// Nothing when the file does not begin as ELF files do; an error when it does, and the rest is not
// as elf(5) says.
[[nodiscard]] Expected<std::optional<ElfFacts>> read_elf(int fd);

}  // namespace px::cli
