# SPDX-License-Identifier: MIT
"""report_health.py SOCKET PROFILE PORT ALIVE INTERFACE ADDRESS...: health reports as of libpx.so.

One message a connection, which has no answer.
"""

import sys

from support import wire

path, profile, port, alive, interface = sys.argv[1:6]
for address in sys.argv[6:]:
    with wire.connect(path) as sock:
        sock.send(wire.health_report(profile, address, int(port), int(alive), int(interface)))
        # The broker closes once it has taken the report.
        assert sock.recv(1) == b""
