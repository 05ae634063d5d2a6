# SPDX-License-Identifier: MIT
"""echo_server.py ADDRESS...: the lab's server, which tells each client the address that it sees.

TCP, ports 80, 443 and 8080: HTTP/1.0, `PEER LOCAL\\n`; `GET /N` makes the answer N bytes longer.
UDP, port 7777: `PEER LOCAL` to each datagram, from the address that was called.
One thread serves all.
"""

import contextlib
import functools
import resource
import selectors
import socket
import sys

TCP_PORTS = (80, 443, 8080)
UDP_PORT = 7777


def unmapped(address):
    return address.removeprefix("::ffff:")


class Server:
    def __init__(self, addresses):
        self.selector = selectors.DefaultSelector()
        for address in addresses:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            datagrams = socket.socket(family, socket.SOCK_DGRAM)
            datagrams.bind((address, UDP_PORT))
            self.selector.register(datagrams, selectors.EVENT_READ, self.datagram)
        for port in TCP_PORTS:
            listener = socket.create_server(
                ("::", port), family=socket.AF_INET6, backlog=4096, dualstack_ipv6=True
            )
            listener.setblocking(False)
            self.selector.register(listener, selectors.EVENT_READ, self.connection)

    def datagram(self, sock):
        # Either may tell what became of an earlier answer, to a link that is down.
        with contextlib.suppress(OSError):
            _, peer = sock.recvfrom(2048)
            sock.sendto(f"{peer[0]} {sock.getsockname()[0]}".encode(), peer)

    def connection(self, listener):
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        request = functools.partial(self.request, head=bytearray())
        self.selector.register(connection, selectors.EVENT_READ, request)

    def request(self, connection, head):
        """Reads to the empty line: closed with a byte unread, a connection would be reset."""
        try:
            data = connection.recv(4096)
            head += data
            if data and b"\r\n\r\n" not in head:
                return
            if data:
                self.answer(connection, head.split()[1])
        except OSError:
            pass
        self.selector.unregister(connection)
        connection.close()

    def answer(self, connection, path):
        peer, local = connection.getpeername()[0], connection.getsockname()[0]
        body = f"{unmapped(peer)} {unmapped(local)}\n".encode()
        padding = path.lstrip(b"/")
        body += b"." * (int(padding) if padding.isdigit() else 0)
        # Without a length, a client reads until this end has closed. Once it has closed, too, it
        # has nothing more to send.
        length = b"" if path == b"/to-the-end" else b"Content-Length: %d\r\n" % len(body)
        connection.sendall(b"HTTP/1.0 200 OK\r\n" + length + b"\r\n" + body)

    def run(self):
        while True:
            for key, _ in self.selector.select():
                key.data(key.fileobj)


if __name__ == "__main__":
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    Server(sys.argv[1:]).run()
