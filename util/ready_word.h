// SPDX-License-Identifier: MIT
// What a fork tells its parent through a pipe once it has closed what it got of the parent's
// descriptors. Those that the parent has closed meanwhile are still open until then: the fork could
// be the last to close a connection, and an event loop would hear of files that it knows no more.
// No client can lengthen this. Callable from any thread.
#pragma once

namespace px {

// In the fork. False where the parent has gone.
[[nodiscard]] bool say_ready(int pipe);

// In the parent. Waits for as long as the kernel takes to give the fork its turn, a second at most.
[[nodiscard]] bool hear_ready(int pipe);

}  // namespace px
