# SPDX-License-Identifier: MIT
"""soak_client.py HOW EPOCH ADDRESS...: what tests/programs/soak_client does, as scripts do it.

HOW is socket, url or asyncio. An ADDRESS may be a bundle; what is printed is the member that answered.
"""

import asyncio
import errno
import pathlib
import socket
import sys
import urllib.error
import urllib.request

STOP = 99999999
PORT = 8080
REQUEST = b"GET / HTTP/1.0\r\n\r\n"
WAIT = 10  # seconds


def by_socket(address):
    with socket.create_connection((address, PORT), timeout=WAIT) as sock:
        sock.sendall(REQUEST)
        with sock.makefile("rb") as answer:
            return answer.read()


def by_url(address):
    host = f"[{address}]" if ":" in address else address
    try:
        with urllib.request.urlopen(f"http://{host}:{PORT}/", timeout=WAIT) as answer:
            return answer.read()
    except urllib.error.URLError as error:
        raise error.reason from error


async def by_streams(address):
    reader, writer = await asyncio.wait_for(asyncio.open_connection(address, PORT), WAIT)
    try:
        writer.write(REQUEST)
        return await asyncio.wait_for(reader.read(), WAIT)
    finally:
        writer.close()


def by_asyncio(address):
    return asyncio.run(by_streams(address))


ASK = {"socket": by_socket, "url": by_url, "asyncio": by_asyncio}


def main():
    how, epoch = sys.argv[1], pathlib.Path(sys.argv[2])
    addresses = sys.argv[3:]
    before = int(epoch.read_text(encoding="ascii"))
    while before != STOP:
        address = addresses.pop(0)
        addresses.append(address)
        try:
            words = ASK[how](address).split()
            if len(words) < 2:
                raise ConnectionResetError(errno.ECONNRESET, "nothing came")
            outcome, reached = words[-2].decode(), words[-1].decode()
        except TimeoutError:
            outcome, reached = "ETIMEDOUT", address
        except OSError as error:
            outcome, reached = errno.errorcode.get(error.errno, type(error).__name__), address
        after = int(epoch.read_text(encoding="ascii"))
        print(reached, before, after, outcome, 1, flush=True)
        before = after


if __name__ == "__main__":
    main()
