# SPDX-License-Identifier: MIT
"""PX-2, PX-9: the ways out of PacketX's Figure 3 host, two interfaces with two routers each."""

import pytest

from figure3 import ROUTERS, SERVER, SERVER6, SOURCES, SOURCES6, Figure3

# A program that takes a way by itself: the server's answer to it.
ASK = """
import socket, sys
interface, source, server = sys.argv[1:]
family = socket.AF_INET6 if ":" in server else socket.AF_INET
sock = socket.socket(family, socket.SOCK_STREAM)
sock.settimeout(10)
sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode())
sock.bind((source, 0))
sock.connect((server, 80))
sock.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
print(sock.makefile().read().splitlines()[-1])
"""


@pytest.fixture
def host():
    with Figure3() as host:
        yield host


def test_every_way_works_and_is_counted_where_it_passed(host):
    """Of the network itself, without px."""
    for server, sources, attribute in (
        (SERVER, SOURCES, "address"),
        (SERVER6, SOURCES6, "address6"),
    ):
        for router in ROUTERS:
            hop = getattr(router, attribute)
            host.client.ip(f"route replace {server} via {hop} dev {router.interface}")
            for source in sources:
                host.reset()
                asked = host.client.run(["python3", "-c", ASK, router.interface, source, server])
                assert asked.stdout.split() == [source, server]
                assert set(host.ways(server)) == {(router.name, source)}
