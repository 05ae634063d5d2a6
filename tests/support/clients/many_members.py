# SPDX-License-Identifier: MIT
"""many_members.py ADDRESS PORT CONNECTIONS: connections to as many bundles of sixteen members each,
of which only ADDRESS answers. Keeps them until its input ends.
"""

import resource
import socket
import sys

MEMBERS = 16

address, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def bundle(number):
    """Its silent members are no other bundle's: of 198.18.0.0/15, which leads nowhere."""
    first = number * MEMBERS
    silent = (first + i for i in range(1, MEMBERS))
    others = (f"198.{18 + n // 65536}.{n // 256 % 256}.{n % 256}" for n in silent)
    return f"<{','.join((address, *others))}>"


connections = [socket.create_connection((bundle(number), port)) for number in range(count)]
for each in connections:
    each.sendall(b"hello")  # There are no subflows before something was acknowledged.
print(len(connections), flush=True)
sys.stdin.read()
