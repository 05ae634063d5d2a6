# SPDX-License-Identifier: MIT
"""connection_flood.py SOCKET CONNECTIONS HOLD: a hostile client of the broker, run as another user.

Makes that many connections, one after the other, and keeps the last HOLD of them open and silent.
Prints how many were refused or closed at once; ends at the end of its input.
"""

import collections
import resource
import sys

from support import wire

hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
path, count, hold = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
held = collections.deque()
failed = 0
for _ in range(count):
    try:
        held.append(wire.connect(path))
    except OSError:
        failed += 1
    if len(held) > hold:
        held.popleft().close()
print(f"done {count} {failed}", flush=True)
sys.stdin.read()
