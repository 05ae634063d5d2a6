// SPDX-License-Identifier: MIT
// The audit's BPF programs, as clang compiled audit/audit.bpf.c: an ELF object in memory. The
// source is made by embed.py when px is built. Constants.
#pragma once

#include <cstddef>

namespace px::audit {

extern const unsigned char kProgramBytes[];
extern const std::size_t kProgramSize;

}  // namespace px::audit
