# SPDX-License-Identifier: MIT
"""restless.py SOCKET PROFILE PROFILE: a program that has itself moved from profile to profile, as
fast as it can, until its input ends."""

import itertools
import json
import os
import select
import socket
import sys

from support import wire


def main():
    path, *profiles = sys.argv[1:]
    greeted = wire.connect(path, timeout=60)
    greeted.send(wire.hello(profiles[0].encode()))
    for descriptor in socket.recv_fds(greeted, 4096, 8)[1]:
        os.close(descriptor)
    asking = wire.connect(path, timeout=60)
    print("moving", flush=True)
    for profile in itertools.cycle(profiles):
        if select.select([sys.stdin], [], [], 0)[0]:
            return
        words = {"command": "move", "pid": os.getpid(), "profile": profile}
        asking.send(wire.request(json.dumps(words).encode()))
        if not asking.recv(wire.LARGEST):
            raise SystemExit("the broker has closed the connection")


if __name__ == "__main__":
    main()
