#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""embed.py FILE: a C++ source on standard output that holds the bytes of the file."""

import pathlib
import sys

SOURCE = """// Made by embed.py.
#include "audit/programs.h"

namespace px::audit {{

alignas(8) constinit const unsigned char kProgramBytes[] = {{{bytes}}};
constinit const std::size_t kProgramSize = sizeof kProgramBytes;

}}  // namespace px::audit
"""

print(SOURCE.format(bytes=",".join(map(str, pathlib.Path(sys.argv[1]).read_bytes()))), end="")
