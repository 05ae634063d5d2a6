# SPDX-License-Identifier: MIT
"""look_up_on_command.py: a program that stays, and looks a name up for each line of input, which is the
name. It prints its first IPv4 address, or the error."""

import socket
import sys

for line in sys.stdin:
    try:
        print(socket.getaddrinfo(line.strip(), 80, socket.AF_INET)[0][4][0], flush=True)
    except socket.gaierror as error:
        print(error.args[1], flush=True)
