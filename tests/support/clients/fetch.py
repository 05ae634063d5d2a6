# SPDX-License-Identifier: MIT
"""Says what a server answers on port 8080: fetch.py HOW HOST, with HOW url, socket, asyncio, or
happy (asyncio's own happy eyeballs)."""

import asyncio
import socket
import sys
import urllib.request

PORT = 8080
REQUEST = b"GET / HTTP/1.0\r\n\r\n"


def by_url(host):
    with urllib.request.urlopen(f"http://{host}:{PORT}/") as answer:
        return answer.read()


def by_socket(host):
    with socket.create_connection((host, PORT)) as connection, connection.makefile("rb") as answer:
        connection.sendall(REQUEST)
        return answer.read()


async def by_streams(host, **more):
    reader, writer = await asyncio.open_connection(host, PORT, **more)
    writer.write(REQUEST)
    answer = await reader.read()
    writer.close()
    return answer


def by_asyncio(host):
    return asyncio.run(by_streams(host))


def by_happy(host):
    return asyncio.run(by_streams(host, happy_eyeballs_delay=0.25))


fetch = {"url": by_url, "socket": by_socket, "asyncio": by_asyncio, "happy": by_happy}
print(fetch[sys.argv[1]](sys.argv[2]).decode())
