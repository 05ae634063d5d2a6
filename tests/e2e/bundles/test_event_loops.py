# SPDX-License-Identifier: MIT
"""A program that connects without blocking, to many bundles, is not held up by each of them."""

import sys

from support.lab.member_networks import ALIVE, DEAD, MemberNetworks, member

COUNT = 100
# Connects to each bundle in turn; prints how long that took, and how many were connected in the end.
LOOP = """
import select, socket, sys, time
begin, connecting = time.monotonic(), []
for bundle in sys.argv[1:]:
    family, kind, protocol, _, address = socket.getaddrinfo(bundle, 8080, 0, socket.SOCK_STREAM)[0]
    one = socket.socket(family, kind, protocol)
    one.setblocking(False)
    one.connect_ex(address)
    connecting.append(one)
print(time.monotonic() - begin)
connected = 0
for one in connecting:
    select.select([], [one], [], 5)
    connected += one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
print(connected)
"""


def test_a_hundred_bundles_with_a_dead_first_member():
    bundles = [
        f"<{member(DEAD, 4, 0, number)},{member(ALIVE, 4, 0, number)}>"
        for number in range(1, COUNT + 1)
    ]
    policy = "version: 1\nprofiles:\n  empty: { rules: [] }\n"
    with MemberNetworks() as lab, lab.serving(policy) as broker:
        done = lab.px(broker, [sys.executable, "-c", LOOP, *bundles], "empty", timeout=60)
        seconds, connected = done.stdout.split()
        assert int(connected) == COUNT
        # It would be a tenth of a second for each.
        assert float(seconds) < COUNT / 20
