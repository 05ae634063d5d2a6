// SPDX-License-Identifier: MIT
// Whether memory that the program names can be read or written. The kernel says EFAULT where a
// library would die of SIGSEGV; so where px looks before the kernel does, it asks. Memory that
// another thread takes away between the question and the use is not seen. One system call for each
// page, and none for the page of the caller's own stack frame and the main thread's stack. They are
// calls that most sandboxes allow: rt_sigprocmask and futex. Callable from any thread and from
// signal handlers; changes no errno.
#pragma once

#include <cstddef>

namespace px::shim {

// Once, by the constructor: memory at the upper end of the main thread's stack.
void set_stack_end(const void* end);

// The program has had the kernel filter its system calls: the question may be its death. From now
// on all memory but the lowest page is taken to be there.
void trust_memory();

// True for no bytes at all, wherever they are.
[[nodiscard]] bool can_read(const void* begin, std::size_t size);
[[nodiscard]] bool can_write(const void* begin, std::size_t size);

}  // namespace px::shim
