# SPDX-License-Identifier: MIT
"""PX-2: an entry with another interface's source. The lab's server answers where the source lives,
so packets leave by one uplink and come in by another."""

import sys

import pytest

from support.clients.running_program import RunningProgram
from support.lab.broker import Broker
from support.lab.three_uplinks import PUBLIC, PUBLIC6
from support.unprivileged import UnprivilegedNamespace

pytestmark = pytest.mark.routes

POLICY = """version: 1
paths:
  crossed: { interface: lte0, source: 192.168.1.2 }
  crossed6: { interface: lte0, source: "2001:db8:1::2" }
  router: { interface: lte0, source: 192.168.1.2, gateway: 100.64.2.1 }
  router6: { interface: lte0, source: "2001:db8:1::2", gateway: "2001:db8:2::1" }
profiles:
  crossed: { rules: [ { to: any, via: [crossed, crossed6] } ] }
  router: { rules: [ { to: any, via: [router, router6] } ] }
"""


@pytest.mark.parametrize("profile", ["crossed", "router"])
def test_answers_are_taken_wherever_they_come(lab, profile):
    with lab.serving(POLICY) as broker:
        program = RunningProgram(lab, broker, profile)
        for destination in (PUBLIC, PUBLIC6):
            for transport in ("tcp", "udp"):
                lab.flows.reset()
                connection = program.connect(destination, transport=transport)
                assert connection.error is None, (destination, transport)
                assert connection.source == lab.uplink("lan").source_for(destination)
                assert set(lab.flows.left(destination)) == {"lte0"}
                assert set(lab.flows.per_interface("got", destination)) == {"lan0"}


def test_datagrams_to_many_peers(lab):
    with lab.serving(POLICY) as broker:
        script = """
import socket, sys
for host in sys.argv[1:]:
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    sock.settimeout(5)
    sock.sendto(b"?", (host, 7777))
    print(sock.recv(100).split()[0].decode())
"""
        argv = [sys.executable, "-I", "-c", script, PUBLIC, PUBLIC6]
        done = lab.px(broker, argv, "crossed")
        assert done.stdout.split() == ["192.168.1.2", "2001:db8:1::2"]
        for destination in (PUBLIC, PUBLIC6):
            assert set(lab.flows.left(destination)) == {"lte0"}


def test_a_link_that_is_down_sends_nothing_elsewhere(lab):
    with lab.serving(POLICY) as broker:
        program = RunningProgram(lab, broker, "crossed")
        assert program.connect(PUBLIC).error is None
        lab.link_down("lte")
        lab.flows.reset()
        assert program.connect(PUBLIC).error == "ENETUNREACH"
        assert lab.flows.left(PUBLIC) == {}


def test_without_the_privilege_it_is_explained(lab):
    broker = Broker(UnprivilegedNamespace(lab.client), lab.directory / "px", POLICY)
    candidate = broker.ask("explain", "curl", PUBLIC, "--profile", "crossed")["candidates"][0]
    if candidate["usable"]:
        assert "answers must come in by this interface" in candidate["limit"]
    else:
        assert candidate["why"] == "no route to the destination on this interface"
    assert broker.stop() == 0, broker.log_text
