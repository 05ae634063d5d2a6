# SPDX-License-Identifier: MIT
"""look_up_many.py SUFFIX COUNT: looks COUNT names of their own up, each until there is an answer, and
prints as JSON how often each address or error came."""

import collections
import json
import socket
import sys


def look_up(name):
    try:
        return socket.getaddrinfo(name, 80, socket.AF_INET, socket.SOCK_STREAM)[0][4][0]
    except socket.gaierror as error:
        return "again" if error.errno == socket.EAI_AGAIN else str(error)


def main():
    suffix, count = sys.argv[1], int(sys.argv[2])
    found = collections.Counter()
    for number in range(count):
        result = "again"
        while result == "again":
            result = look_up(f"n{number}.{suffix}".encode())
            found[result] += 1
    print(json.dumps(found))


if __name__ == "__main__":
    main()
