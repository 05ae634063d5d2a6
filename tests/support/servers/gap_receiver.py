# SPDX-License-Identifier: MIT
"""gap_receiver.py FAMILY ADDRESS PROTOCOL: receives one connection at port 7001 to its end.

Prints as JSON the longest time in which nothing came, in seconds, and the SHA-256 of what came.
"""

import hashlib
import json
import socket
import sys
import time


def main(family, address, protocol):
    listener = socket.socket(int(family), socket.SOCK_STREAM, int(protocol))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((address, 7001))
    listener.listen()
    peer, _ = listener.accept()
    digest, longest, last = hashlib.sha256(), 0, None
    while data := peer.recv(65536):
        now = time.monotonic()
        longest, last = max(longest, now - (last or now)), now
        digest.update(data)
    print(json.dumps({"longest": longest, "digest": digest.hexdigest()}))


main(*sys.argv[1:])
