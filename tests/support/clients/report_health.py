# SPDX-License-Identifier: MIT
"""report_health.py SOCKET PROFILE PORT ALIVE INTERFACE ADDRESS...: a program that says what came of
connecting to each address, as libpx.so does: one message a connection, without an answer."""

import sys

from support import wire

path, profile, port, alive, interface = sys.argv[1:6]
for address in sys.argv[6:]:
    with wire.connect(path) as sock:
        sock.send(wire.health_report(profile, address, int(port), int(alive), int(interface)))
        # The end that follows says that it was taken.
        assert sock.recv(1) == b""
