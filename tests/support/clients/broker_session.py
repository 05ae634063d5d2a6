# SPDX-License-Identifier: MIT
"""Sockets of a namespace that a broker marks, or gives paths, on request: by the protocol alone,
without libpx.so."""

import ctypes
import os
import socket

from support import wire


def socket_in(namespace, family=socket.AF_INET, kind=socket.SOCK_STREAM, protocol=0):
    """A socket of that network namespace, in this process."""
    libc = ctypes.CDLL(None, use_errno=True)
    here = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{namespace.name}", os.O_RDONLY)
    try:
        assert libc.setns(there, 0) == 0
        return socket.socket(family, kind, protocol)
    finally:
        assert libc.setns(here, 0) == 0
        os.close(here)
        os.close(there)


class Client:
    """One connection to the broker that has said hello under a profile."""

    def __init__(self, broker, profile):
        self.connection = wire.connect(broker.socket)
        self.connection.send(wire.hello(profile.encode()))
        data, descriptors, _, _ = socket.recv_fds(self.connection, 4096, 8)
        for descriptor in descriptors:
            os.close(descriptor)
        assert wire.refusal(data) is None, wire.refusal(data)

    def mark(self, sock, value):
        """None where the broker marked it, else the refusal's code and reason."""
        wire.send_with_descriptors(self.connection, wire.mark(value), [sock.fileno()])
        return wire.refusal(self.connection.recv(4096))

    def paths(self, sock, addresses):
        """None where the socket has them, else the refusal's code and reason."""
        wire.send_with_descriptors(self.connection, wire.paths(7001, addresses), [sock.fileno()])
        return wire.refusal(self.connection.recv(4096))
