# SPDX-License-Identifier: MIT
"""request_flood.py SOCKET COMMAND CONNECTIONS: a hostile client of the broker, run as another user.

Keeps one request outstanding on each connection until its input ends, then prints how many were
answered and how many connections were closed.
"""

import json
import select
import struct
import sys

from support import wire

path, command, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
question = wire.request(json.dumps({"command": command}).encode())
clients = {}
poll = select.epoll()
poll.register(sys.stdin.fileno(), select.EPOLLIN | select.EPOLLHUP)
for _ in range(count):
    client = wire.connect(path)
    client.send(question)
    client.setblocking(False)
    clients[client.fileno()] = client
    poll.register(client.fileno(), select.EPOLLIN)
print("flooding", flush=True)
answered = closed = 0
ended = False
while not ended:
    for number, _ in poll.poll():
        if number == sys.stdin.fileno():
            ended = True
            continue
        try:
            while data := clients[number].recv(wire.LARGEST):
                if not struct.unpack_from("=IHHI", data)[2] & 1:
                    answered += 1
                    clients[number].send(question)
            raise ConnectionError
        except BlockingIOError:
            pass
        except OSError:
            closed += 1
            poll.unregister(number)
            del clients[number]
print(answered, closed, flush=True)
