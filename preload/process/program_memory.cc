// SPDX-License-Identifier: MIT
#include "preload/process/program_memory.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>

#include "preload/process/signals.h"
#include "preload/process/system_calls.h"

namespace px::shim {
namespace {

using Place = std::uintptr_t;

constexpr Place kPageSize = 4096;  // the smallest there is
// The kernel keeps at least twice as much free below the main thread's stack.
constexpr Place kMostStack = 64 << 20;

constinit Place stack_end = 0;
constinit std::atomic<bool> asks_nothing{false};

constexpr Place page_of(Place place) {
  return place & ~(kPageSize - 1);
}

// The kernel reads the mask before it finds that there is no such `how`. A null mask it would not
// read, so the probe is not at the beginning of the page.
bool is_readable(Place page) {
  constexpr int kNoSuchHow = -1;
  ::syscall(SYS_rt_sigprocmask, kNoSuchHow, page + sizeof(SignalMask), nullptr, sizeof(SignalMask));
  return errno != EFAULT;
}

// Nothing is woken, and the word is written as it was.
bool is_writable(Place page) {
  constexpr int kLeastArgument = -2048;
  constexpr std::uint32_t kNoChange =
      FUTEX_OP(FUTEX_OP_OR, 0u, FUTEX_OP_CMP_LT, static_cast<std::uint32_t>(kLeastArgument));
  const std::uint32_t awaited_by_none = 0;
  // A sandbox may refuse the call: that says nothing of the memory.
  return ::syscall(SYS_futex, &awaited_by_none, FUTEX_WAKE_OP | FUTEX_PRIVATE_FLAG, 0, 0, page,
                   kNoChange) >= 0 ||
         errno != EFAULT;
}

// What lies between a frame of the main thread and the end of its stack is stack.
bool is_on_main_stack(Place frame, Place begin, std::size_t size) {
  return frame < begin && begin < stack_end && size <= stack_end - begin &&
         stack_end - frame < kMostStack;
}

bool is_there(const void* memory, std::size_t size, bool (*probe)(Place page)) {
  if (size == 0) return true;
  const auto begin = reinterpret_cast<Place>(memory);
  const Place last = begin + size - 1;
  if (last < begin) return false;
  const auto frame = reinterpret_cast<Place>(__builtin_frame_address(0));
  if (is_on_main_stack(frame, begin, size)) return true;
  if (asks_nothing.load(std::memory_order_relaxed)) return begin >= kPageSize;
  const KeepErrno keep;
  for (Place page = page_of(begin);; page += kPageSize) {
    errno = 0;
    if (page != page_of(frame) && !probe(page)) return false;
    if (page == page_of(last)) return true;
  }
}

}  // namespace

void set_stack_end(const void* end) {
  stack_end = reinterpret_cast<Place>(end);
}

void trust_memory() {
  asks_nothing.store(true, std::memory_order_relaxed);
}

bool can_read(const void* begin, std::size_t size) {
  return is_there(begin, size, &is_readable);
}

bool can_write(const void* begin, std::size_t size) {
  return is_there(begin, size, &is_writable);
}

}  // namespace px::shim
