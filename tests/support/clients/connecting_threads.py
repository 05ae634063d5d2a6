# SPDX-License-Identifier: MIT
"""connecting_threads.py ADDRESS PORT THREADS: threads that connect again and again.

For each connection they print when it began (time.monotonic), and the local address.
"""

import os
import socket
import sys
import threading
import time


def run():
    while True:
        began = time.monotonic()
        with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as sock:
            line = f"{began!r} {sock.getsockname()[0]}\n"
        os.write(1, line.encode())


for _ in range(int(sys.argv[3])):
    threading.Thread(target=run).start()
