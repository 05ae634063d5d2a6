# SPDX-License-Identifier: MIT
"""PX-5, PacketX's Figure 4: a server with two networks that is called at either of its addresses
over either network. The px host is Figure 3's; the calls come from the server there."""

import sys

import pytest

from support.lab.figure3 import SERVER, SERVER6, SOURCES, SOURCES6, Figure3
from support.lab.flows import FlowCounters
from support.wait import wait_until

POLICY = """version: 1
paths:
  second: { interface: eth2 }
profiles:
  interface:
    rules: []
    listen: { mode: received-interface }
  source:
    rules: []
    listen: { mode: received-source, via: second }
"""

# Unmodified servers at their wildcard addresses, IPv4 and IPv6 in one socket.
SERVERS = {
    "tcp": [sys.executable, "-m", "http.server", "8000", "--bind", "::"],
    "udp": [
        sys.executable,
        "-c",
        "import socket, socketserver as s\n"
        "class Echo(s.BaseRequestHandler):\n"
        "  def handle(self): self.request[1].sendto(b'answer', self.client_address)\n"
        "class Server(s.UDPServer):\n"
        "  address_family = socket.AF_INET6\n"
        "Server(('::', 8000), Echo).serve_forever()",
    ],
}

# Calls through the router that the mark chooses; prints the address that answered.
CALL = """
import socket, sys
transport, mark, source, address = sys.argv[1:]
sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET,
                     socket.SOCK_STREAM if transport == "tcp" else socket.SOCK_DGRAM)
sock.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, int(mark))
sock.settimeout(10)
sock.bind((source, 0))
if transport == "tcp":
    sock.connect((address, 8000))
    sock.sendall(b"HEAD / HTTP/1.0\\r\\n\\r\\n")
    assert sock.makefile().readlines()[0].split()[1] == "200"
    print(sock.getpeername()[0])
else:
    sock.sendto(b"call", (address, 8000))
    print(sock.recvfrom(100)[1][0])
"""

MARKS = {"eth1": 1, "eth2": 3}  # of the routers 1a and 2a
CALLS = [(link, address) for link in MARKS for address in (*SOURCES, *SOURCES6)]


@pytest.fixture
def host(host_kind):
    """Unsteered traffic leaves by eth1; where sources have rules, that of a source by its own."""
    with Figure3("metrics", host_kind) as host:
        host.flows = FlowCounters(host.client)
        yield host


def listens(host, transport):
    option = "-Hltn" if transport == "tcp" else "-Hlun"
    wait_until(
        lambda: host.client.run(["ss", option, "sport = 8000"]).stdout.strip(),
        f"a {transport} server",
    )


def answers(host, transport, link, address):
    """The address that answered a call, and the interfaces that the answer left by."""
    caller = SERVER6 if ":" in address else SERVER
    host.flows.reset()
    answered = host.server.run(
        [sys.executable, "-c", CALL, transport, MARKS[link], caller, address]
    ).stdout.strip()
    host.settle()
    return answered, set(host.flows.per_interface("sent", caller, protocol=transport))


@pytest.mark.parametrize("transport", SERVERS)
def test_a_bare_server_gets_it_wrong(host, transport):
    host.client.popen(SERVERS[transport])
    listens(host, transport)
    found = {}
    for link, address in CALLS:
        if transport == "tcp" or (link, address) in (("eth1", SOURCES[0]), ("eth1", SOURCES6[0])):
            found[link, address] = answers(host, transport, link, address)
    for (link, address), answer in found.items():
        assert answer == (address, {"eth1"}), (link, address)


@pytest.mark.parametrize("address", [SOURCES[1], SOURCES6[1]])
def test_a_bare_server_answers_datagrams_from_another_address(host, address):
    host.client.popen(SERVERS["udp"])
    listens(host, "udp")
    answered, _ = answers(host, "udp", "eth2", address)
    assert answered == {SOURCES[1]: SOURCES[0], SOURCES6[1]: SOURCES6[0]}[address]


@pytest.mark.routes
@pytest.mark.parametrize("transport", SERVERS)
@pytest.mark.parametrize("profile", ["interface", "source"])
def test_answers_leave_as_the_profile_says(host, transport, profile):
    broker = host.start_broker(POLICY)
    host.px_popen(broker, SERVERS[transport], profile)
    listens(host, transport)
    for link, address in CALLS:
        expected = link if profile == "interface" else "eth2"
        assert answers(host, transport, link, address) == (address, {expected}), (link, address)
    assert broker.stop() == 0


@pytest.mark.routes
@pytest.mark.parametrize("profile", ["interface", "source"])
def test_a_server_bound_to_one_address(host, profile):
    broker = host.start_broker(POLICY)
    bound = [*SERVERS["tcp"][:-1], SOURCES[0]]
    host.px_popen(broker, bound, profile)
    listens(host, "tcp")
    for link in MARKS:
        expected = link if profile == "interface" else "eth2"
        assert answers(host, "tcp", link, SOURCES[0]) == (SOURCES[0], {expected})
    assert broker.stop() == 0
