// SPDX-License-Identifier: MIT
#include "preload/session/process_state.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <new>

#include "preload/process/system_calls.h"

namespace px::shim {

void ProcessState::start() {
  const KeepErrno keep;
  void* page =
      ::mmap(nullptr, sizeof(Words), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page != MAP_FAILED) {
    // Where this fails (before Linux 4.14) a forked child has its parent's session.
    ::madvise(page, sizeof(Words), MADV_WIPEONFORK);
    words_ = new (page) Words{};
  }
  (void)is_own();
}

std::int32_t ProcessState::own_pid() {
  return static_cast<std::int32_t>(::syscall(SYS_getpid));
}

bool ProcessState::is_own() {
  const std::int32_t self = own_pid();
  std::int32_t owner = 0;
  return words_->owner.compare_exchange_strong(owner, self, std::memory_order_relaxed) ||
         owner == self;
}

}  // namespace px::shim
