# SPDX-License-Identifier: MIT
"""forking_client.py ADDRESS PORT: connects for each line of input, and prints the local address.

The line names what connects: "itself", or a child by "fork" or "exec".
"""

import os
import socket
import subprocess
import sys

PROGRAM = """
import socket, sys
with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as sock:
    print(sock.getsockname()[0], flush=True)
"""


def connect():
    with socket.create_connection((sys.argv[1], int(sys.argv[2]))) as sock:
        os.write(1, f"{sock.getsockname()[0]}\n".encode())


for line in sys.stdin:
    how = line.strip()
    if how == "itself":
        connect()
    elif how == "exec":
        subprocess.run([sys.executable, "-I", "-c", PROGRAM, *sys.argv[1:]], check=True)
    else:
        child = os.fork()
        if child == 0:
            connect()
            os._exit(0)
        os.waitpid(child, 0)
