# SPDX-License-Identifier: MIT
"""A session with the broker by the protocol alone, without libpx.so: sockets of this process are
marked, or get extra paths, on request."""

import os
import socket

from support import wire


class BrokerSession:
    """A connection to the broker that has said hello under a profile."""

    def __init__(self, broker, profile):
        self.connection = wire.connect(broker.socket)
        self.connection.send(wire.hello(profile.encode()))
        data, descriptors, _, _ = socket.recv_fds(self.connection, 4096, 8)
        for descriptor in descriptors:
            os.close(descriptor)
        assert wire.refusal(data) is None, wire.refusal(data)

    def mark(self, sock, value):
        """Asks for a mark: None, or the refusal's code and reason."""
        wire.send_with_descriptors(self.connection, wire.mark(value), [sock.fileno()])
        return wire.refusal(self.connection.recv(4096))

    def extra_paths(self, sock, addresses):
        """Asks for extra paths to IPv4 addresses: None, or the refusal's code and reason."""
        request = wire.extra_paths(7001, addresses)
        wire.send_with_descriptors(self.connection, request, [sock.fileno()])
        return wire.refusal(self.connection.recv(4096))
