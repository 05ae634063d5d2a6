# SPDX-License-Identifier: MIT
"""hello_meter.py NAME=SOCKET...: says hello to each broker in turn until its input ends, as libpx.so
does, and looks at the plans that it gets.

Prints "measuring", and at the end a JSON object: {NAME: {"hellos": the seconds that each took,
"heartbeat": the oldest that the plan's heartbeat was, in seconds}}.
"""

import json
import mmap
import os
import select
import socket
import struct
import sys
import time

from support import wire

HEARTBEAT_AT = 40  # plan/abi.h: px_file_header.heartbeat
EXECUTABLE = os.open("/proc/self/exe", os.O_PATH)


def age(plan):
    """Of the heartbeat, in seconds."""
    beaten = struct.unpack_from("=Q", plan, HEARTBEAT_AT)[0]
    return time.monotonic() - beaten / 1000


class Broker:
    def __init__(self, path):
        self.path = path
        self.hellos = []
        self.heartbeat = 0
        self.plan = None

    def hello(self):
        started = time.monotonic()
        with wire.connect(self.path, timeout=60) as sock:
            wire.send_with_descriptors(sock, wire.hello(), [EXECUTABLE])
            data, descriptors, _, _ = socket.recv_fds(sock, 4096, 8)
        self.hellos.append(time.monotonic() - started)
        if struct.unpack_from("=IHHI", data)[1] != wire.WELCOME:
            raise SystemExit(f"no welcome: {wire.refusal(data)}")
        if self.plan is None:
            self.plan = mmap.mmap(descriptors[0], 4096, prot=mmap.PROT_READ)
        for descriptor in descriptors:
            os.close(descriptor)
        self.heartbeat = max(self.heartbeat, age(self.plan))


def main():
    words = [word.split("=", 1) for word in sys.argv[1:]]
    brokers = {name: Broker(path) for name, path in words}
    print("measuring", flush=True)
    while not select.select([sys.stdin], [], [], 0)[0]:
        for broker in brokers.values():
            broker.hello()
    figures = {
        name: {"hellos": broker.hellos, "heartbeat": broker.heartbeat}
        for name, broker in brokers.items()
    }
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
