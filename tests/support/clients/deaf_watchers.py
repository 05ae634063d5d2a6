# SPDX-License-Identifier: MIT
"""deaf_watchers.py SOCKET COUNT: so many clients that ask for all events and read none, until the
input ends. Those that the broker closes come again."""

import select
import sys

from support import wire

QUESTION = wire.request(b'{"command":"watch"}')


def watcher():
    sock = wire.connect(sys.argv[1], timeout=60)
    sock.send(QUESTION)
    return sock


poll = select.poll()
poll.register(sys.stdin, select.POLLIN | select.POLLHUP)
watchers = {}
for _ in range(int(sys.argv[2])):
    sock = watcher()
    watchers[sock.fileno()] = sock
    poll.register(sock, 0)
print("watching", flush=True)
while sys.stdin.fileno() not in (ready := dict(poll.poll())):
    for number in ready:
        poll.unregister(number)
        watchers.pop(number).close()
        sock = watcher()
        watchers[sock.fileno()] = sock
        poll.register(sock, 0)
