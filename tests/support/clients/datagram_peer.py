# SPDX-License-Identifier: MIT
"""datagram_peer.py SOURCE PORT CALLED...: sends one datagram to each address in turn.

For each it prints the address that the answer came from, or "none".
"""

import socket
import sys

source, port = sys.argv[1], int(sys.argv[2])
family = socket.AF_INET6 if ":" in source else socket.AF_INET
with socket.socket(family, socket.SOCK_DGRAM) as sock:
    sock.bind((source, 0))
    sock.settimeout(3)
    for called in sys.argv[3:]:
        sock.sendto(called.encode(), (called, port))
        try:
            data, peer = sock.recvfrom(100)
            print(data.decode(), peer[0], flush=True)
        except TimeoutError:
            print(called, "none", flush=True)
