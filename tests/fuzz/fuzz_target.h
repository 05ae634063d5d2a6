// SPDX-License-Identifier: MIT
// The entry point of every fuzz target, called with one input at a time by libFuzzer or by
// replay_main.cc, and the check that stops the program at a broken promise. One thread; the input
// is the caller's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace px::fuzz {

inline void require(bool promise) {
  if (!promise) std::abort();
}

}  // namespace px::fuzz
