# SPDX-License-Identifier: MIT
"""PX-2 in failures: tables flushed, links down, the broker killed. What is sent to one router never
passes another one."""

import json
import random
import subprocess
import sys

import pytest

from support.lab.figure3 import SERVER, Figure3
from support.programs import program_file
from support.wait import wait_until

pytestmark = pytest.mark.routes

POLICY = """version: 1
paths:
  alternative: { interface: eth1, gateway: 192.168.1.2 }
  other: { interface: eth2, gateway: 192.168.2.2 }
profiles:
  alternative:
    rules: [ { to: any, via: alternative } ]
"""
WITH_ANOTHER = POLICY + "  other:\n    rules: [ { to: any, via: other } ]\n"

# One connected datagram socket: for each line of input one datagram, and its result.
ASKER = """
import errno, socket, sys
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.settimeout(5)
sock.connect((sys.argv[1], 7777))
for line in sys.stdin:
    try:
        sock.send(b"?")
        print(sock.recv(100).split()[0].decode(), flush=True)
    except OSError as error:
        print(errno.errorcode.get(error.errno, "timeout"), flush=True)
"""


class Asker:
    def __init__(self, host, broker):
        self.process = host.px_popen(
            broker,
            [sys.executable, "-I", "-c", ASKER, SERVER],
            "alternative",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def ask(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()


@pytest.fixture
def host(host_kind):
    with Figure3("metrics", host_kind) as host:
        yield host


@pytest.fixture
def broker(host):
    broker = host.start_broker(POLICY)
    yield broker
    if broker.process.poll() is None:
        assert broker.stop() == 0, broker.log_text
    assert own_rules(host) == [] and own_routes(host) == []


def own_rules(host):
    """px's routing rules of both families, as text."""
    found = []
    for family in ("-4", "-6"):
        rules = json.loads(host.client.run(["ip", family, "-j", "rule"]).stdout)
        own = (rule for rule in rules if rule.get("protocol") == "112")
        found += [json.dumps(rule, sort_keys=True) for rule in own]
    return sorted(found)


def own_routes(host):
    found = []
    for family in ("-4", "-6"):
        listing = host.client.run(["ip", family, "route", "show", "table", "all", "proto", "112"])
        found += [line.strip() for line in listing.stdout.splitlines()]
    return sorted(found)


def own_tables(host):
    return {json.loads(rule)["table"] for rule in own_rules(host) if "table" in json.loads(rule)}


def routers_passed(host):
    return {router for router, _ in host.routes_taken(SERVER)}


def test_a_flushed_table_stops_what_is_sent_to_its_router(host, broker):
    asker = Asker(host, broker)
    assert asker.ask() == "192.168.1.10"
    assert routers_passed(host) == {"1b"}
    host.reset()
    broker.kill()  # or it would mend the table
    for table in own_tables(host):
        for family in ("-4", "-6"):
            host.client.run(["ip", family, "route", "flush", "table", table])
    # iproute2 leaves IPv6's `unreachable`.
    assert not [route for route in own_routes(host) if "unreachable" not in route]
    # A socket with a device takes what has no route for a neighbour; the guard rejects that.
    assert asker.ask() == "EPERM"
    assert routers_passed(host) == set()
    broker.start()
    assert asker.ask() == "192.168.1.10"
    assert routers_passed(host) == {"1b"}


def test_a_flushed_table_is_mended(host, broker):
    asker = Asker(host, broker)
    assert asker.ask() == "192.168.1.10"
    before = own_routes(host)
    for table in own_tables(host):
        host.client.run(["ip", "route", "flush", "table", table])
    wait_until(lambda: own_routes(host) == before, "the tables are as they were")
    assert asker.ask() == "192.168.1.10"


def test_a_link_down_stops_what_is_sent_to_its_router(host, broker):
    asker = Asker(host, broker)
    assert asker.ask() == "192.168.1.10"
    before = own_routes(host)
    host.reset()
    host.client.ip("link set eth1 down")
    assert asker.ask() in ("ENETUNREACH", "EHOSTUNREACH", "ENETDOWN", "ENODEV")
    assert routers_passed(host) == set()
    host.restore("eth1")
    wait_until(lambda: own_routes(host) == before, "the tables are as they were")
    wait_until(lambda: asker.ask() == "192.168.1.10", "the link carries again")
    assert routers_passed(host) == {"1b"}


def test_killed_at_any_moment_it_leaves_nothing_stale(host, broker):
    """Also while policies change: the next broker takes over or removes what a killed one left."""
    moments = random.Random(1)
    clean = own_rules(host), own_routes(host)
    load = host.px_popen(
        broker, [program_file("connect_loop"), "1000000", SERVER, "80"], "alternative",
        stdout=subprocess.DEVNULL,
    )
    for _ in range(50):
        broker.config.write_text(moments.choice((POLICY, WITH_ANOTHER)))
        try:
            broker.process.wait(moments.uniform(0, 0.05))
        except subprocess.TimeoutExpired:
            broker.kill()
        broker.launch()
    broker.kill()
    broker.config.write_text(POLICY)
    broker.start()
    assert (own_rules(host), own_routes(host)) == clean
    assert load.poll() is None
    load.kill()
    assert routers_passed(host) == {"1b"}
