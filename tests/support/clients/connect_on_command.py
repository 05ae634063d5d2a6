# SPDX-License-Identifier: MIT
"""connect_on_command.py: a program that stays, and connects when it is told to.

For each line of input, a JSON object {"to", "port", "transport", "blocking"...}, it prints another
one: {"source": the address that the server saw, "local": getsockname's, "error": errno's name or
null, "seconds": what connect took, "waits": how often it waited for something meanwhile; to have the
processor taken away is not to wait}.
"""

import errno
import json
import resource
import select
import socket
import sys
import time


def open_socket(order):
    family = socket.AF_INET6 if ":" in order["to"] else socket.AF_INET
    kind = socket.SOCK_STREAM if order["transport"] == "tcp" else socket.SOCK_DGRAM
    sock = socket.socket(family, kind)
    if order.get("bind"):
        sock.bind((order["bind"], 0))
    if order.get("device"):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, order["device"].encode())
    if order.get("mark"):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, order["mark"])
    return sock


def connect(sock, order):
    address = (order["to"], order["port"])
    if order["blocking"]:
        sock.connect(address)
        return
    sock.setblocking(False)
    error = sock.connect_ex(address)
    if error == errno.EINPROGRESS:
        poller = select.poll()
        poller.register(sock, select.POLLOUT)
        if not poller.poll(10000):
            raise OSError(errno.ETIMEDOUT, "poll")
        error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    sock.setblocking(True)
    if error:
        raise OSError(error, "connect")


def ask(sock, order):
    """The address that the server sees."""
    sock.settimeout(10)
    if order["transport"] == "udp":
        sock.send(b"?")
        return sock.recv(200).split()[0].decode()
    sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
    answer = b""
    while piece := sock.recv(4096):
        answer += piece
    return answer.split(b"\r\n\r\n")[1].split()[0].decode()


def waits():
    """How often this thread has given the processor away until now."""
    return resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw


def obey(order):
    answer = {"source": None, "local": None, "error": None}
    with open_socket(order) as sock:
        waits_before, started = waits(), time.monotonic()
        try:
            connect(sock, order)
        except OSError as error:
            answer["error"] = errno.errorcode[error.errno]
        answer["seconds"] = time.monotonic() - started
        answer["waits"] = waits() - waits_before
        if answer["error"] is None:
            answer["local"] = sock.getsockname()[0]
            answer["source"] = ask(sock, order)
    return answer


for line in sys.stdin:
    print(json.dumps(obey(json.loads(line))), flush=True)
