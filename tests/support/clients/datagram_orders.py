# SPDX-License-Identifier: MIT
"""datagram_orders.py SOCKET A B U L ORDER...: one UDP socket for each order, its letters in turn.

A capital connects to that peer and sends, a small letter is a sendto to it, N dissolves the
connection. Behind X, another program that inherits the socket goes on. SOCKET: "fresh", "port" (bound
to one) or the number of a descriptor. Prints for each letter: the letter, the error or "ok", and the
socket's own address; a line for each order.
"""

import ctypes
import errno
import os
import socket
import sys

LIBC = ctypes.CDLL(None)
PORT = 9
kind, *addresses = sys.argv[1:6]
PEERS = dict(zip("ABUL", addresses))
FAMILY = socket.AF_INET6 if ":" in addresses[0] else socket.AF_INET


def again(send, *words):
    try:
        send(*words)
    except ConnectionRefusedError:  # what came back of the datagram before
        send(*words)


def step(sock, letter):
    try:
        if letter == "N":
            LIBC.connect(sock.fileno(), bytes(28), 16)
        elif letter.isupper():
            sock.connect((PEERS[letter], PORT))
            again(sock.send, b"x")
        else:
            again(sock.sendto, b"x", (PEERS[letter.upper()], PORT))
    except OSError as error:
        return errno.errorcode[error.errno]
    return "ok"


def take(sock, letters):
    for at, letter in enumerate(letters):
        if letter == "X":
            sock.set_inheritable(True)
            words = [str(sock.fileno()), *addresses, letters[at + 1 :]]
            argv = [sys.executable, "-I", __file__, *words]
            assert os.spawnv(os.P_WAIT, sys.executable, argv) == 0
            return
        print(letter, step(sock, letter), sock.getsockname()[0], end=" ", flush=True)


for order in sys.argv[6:]:
    if kind.isdigit():
        take(socket.socket(fileno=int(kind)), order)
        break
    with socket.socket(FAMILY, socket.SOCK_DGRAM) as made:
        if kind == "port":
            made.bind(("", 0))
        take(made, order)
        print(flush=True)
