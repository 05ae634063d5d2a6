# SPDX-License-Identifier: MIT
"""Says hello to the broker at SOCKET, with its own executable as libpx.so does, and prints the type of
the answer."""

import os
import socket
import struct
import sys

from support import wire


def main():
    executable = os.open("/proc/self/exe", os.O_PATH)
    with wire.connect(sys.argv[1]) as broker:
        wire.send_with_descriptors(broker, wire.hello(sys.argv[2].encode()), [executable])
        data = socket.recv_fds(broker, wire.LARGEST, 8)[0]
    print(struct.unpack_from("=IHHI", data)[1])


if __name__ == "__main__":
    main()
