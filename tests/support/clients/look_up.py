# SPDX-License-Identifier: MIT
"""look_up.py NAME...: looks the names up, all at once, and prints for each what came of it, as JSON:
the addresses, or the name of the error; and how many seconds that took."""

import json
import socket
import sys
import threading
import time

ERRORS = {
    socket.EAI_AGAIN: "again",
    socket.EAI_FAIL: "fail",
    socket.EAI_NODATA: "no data",
    socket.EAI_NONAME: "no name",
}


def look_up(name):
    try:
        entries = socket.getaddrinfo(name, 80, socket.AF_UNSPEC, socket.SOCK_STREAM)
    except socket.gaierror as error:
        return ERRORS.get(error.errno, str(error))
    return sorted({entry[4][0] for entry in entries})


def main():
    found = {}

    def timed(name):
        started = time.monotonic()
        result = look_up(name.encode())
        found[name] = [result, time.monotonic() - started]

    threads = [threading.Thread(target=timed, args=(name,)) for name in sys.argv[1:]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps(found))


if __name__ == "__main__":
    main()
