// SPDX-License-Identifier: MIT
// Whether a descriptor is ready, asked of the kernel. asio reuses its record of a descriptor that
// is let go while an event for it waits in asio's queue; async_wait then completes for the next
// descriptor, which is not ready. Whoever takes its completion for more than a reason to look, asks
// here, and waits again.
#pragma once

namespace px {

// There is something to read, or nothing will come any more: an end, an error, an ended process.
[[nodiscard]] bool is_readable(int fd);

}  // namespace px
