# SPDX-License-Identifier: MIT
"""PX-2, PX-9: the entries of PacketX's Figure 3 host, two interfaces with two routers each."""

import sys

import pytest

from support.lab.figure3 import ROUTERS, SERVER, SERVER6, SOURCES, SOURCES6, Figure3
from support.lab.host_kinds import KINDS, MAIN, OWN_TABLES
from support.programs import PX_EXEC
from support.unprivileged import no_broker
from support.wait import wait_until

# Prints the address that the server sees, and the one that was called.
ASK = """
import socket, sys
server, interface, source = sys.argv[1:]
family = socket.AF_INET6 if ":" in server else socket.AF_INET
sock = socket.socket(family, socket.SOCK_STREAM)
sock.settimeout(10)
if interface:
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


def ask(server, interface="", source=""):
    return [sys.executable, "-c", ASK, server, interface, source]


def entries_of(broker, family):
    return [
        (entry["number"], entry["interface"], entry["next_hop"], entry["source"])
        for entry in broker.ask("paths")["entries"]
        if entry["family"] == family
    ]


@pytest.mark.parametrize(
    "routes, kind",
    [("multipath", MAIN), ("objects", MAIN), *(("metrics", kind) for kind in KINDS)],
)
def test_its_table_1(routes, kind):
    """Interface x router x source: eight entries of each family, numbered in one order."""
    with Figure3(routes, kind) as host:
        broker = host.start_broker()
        numbers = iter(range(1, 17))
        expected = {"ipv4": [], "ipv6": []}
        for interface in ("eth1", "eth2"):
            for family, sources, attribute in (
                ("ipv4", SOURCES, "address"),
                ("ipv6", SOURCES6, "address6"),
            ):
                for router in (r for r in ROUTERS if r.interface == interface):
                    for source in sources:
                        hop = getattr(router, attribute)
                        expected[family].append((next(numbers), interface, hop, source))
        for family in ("ipv4", "ipv6"):
            assert entries_of(broker, family) == expected[family]
        entries = broker.ask("paths")["entries"]
        assert all(entry["usable"] for entry in entries)
        # Of several routers of one interface the kernel takes the first by itself: always by
        # metrics, one of them in an equal-cost set.
        firsts = {r.address for r in ROUTERS if r.host_number == 1}
        for entry in (e for e in entries if e["family"] == "ipv4"):
            assert entry["default_next_hop"] == (entry["next_hop"] in firsts)
            sure = routes == "metrics" and entry["default_next_hop"]
            assert entry["needs_mark"] is not sure
        broker.restart()
        assert broker.ask("paths")["entries"] == entries
        assert broker.stop() == 0


@pytest.mark.routes
def test_a_program_takes_an_entry_by_number(host_kind):
    """The entries that need no mark, so no privilege either. Where an interface's routes are for
    its own source alone, another one has none there."""
    with Figure3("metrics", host_kind) as host:
        broker = host.start_broker()
        entries = [e for e in broker.ask("paths")["entries"] if not e["needs_mark"]]
        assert len(entries) == 8
        if host_kind == OWN_TABLES:
            entries = [e for e in entries if e["own_source"] or e["interface"] == "eth1"]
        routers = {getattr(r, name): r.name for r in ROUTERS for name in ("address", "address6")}
        for entry in entries:
            server = SERVER if entry["family"] == "ipv4" else SERVER6
            host.reset()
            words = [PX_EXEC, "--via", str(entry["number"]), "--"]
            asked = host.client.run([*words, *ask(server)], env=no_broker(host.directory))
            assert asked.stdout.split() == [entry["source"], server]
            assert set(host.routes_taken(server)) == {(routers[entry["next_hop"]], entry["source"])}
        wait_until(lambda: not list(host.directory.glob("px-*")), "the private brokers ended")
        assert broker.stop() == 0


def test_the_list_follows_the_routes(host):
    broker = host.start_broker()
    host.client.ip("route del default")
    wait_until(lambda: len({hop for _, _, hop, _ in entries_of(broker, "ipv4")}) == 1, "no routers")
    host.client.ip("route add default via 192.168.1.2 dev eth1")
    wait_until(
        lambda: "192.168.1.2" in {hop for _, _, hop, _ in entries_of(broker, "ipv4")},
        "one router",
    )
    assert len(entries_of(broker, "ipv6")) == 8
    assert broker.stop() == 0


def test_every_entry_works_and_is_counted_where_it_passed(host):
    """The network itself, without px."""
    for server, sources, attribute in (
        (SERVER, SOURCES, "address"),
        (SERVER6, SOURCES6, "address6"),
    ):
        for router in ROUTERS:
            hop = getattr(router, attribute)
            host.client.ip(f"route replace {server} via {hop} dev {router.interface}")
            for source in sources:
                host.reset()
                asked = host.client.run(ask(server, router.interface, source))
                assert asked.stdout.split() == [source, server]
                assert set(host.routes_taken(server)) == {(router.name, source)}
