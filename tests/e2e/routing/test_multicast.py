# SPDX-License-Identifier: MIT
"""Multicast under a rule with a router of its own: no router stands before a group, so what is sent
there goes to the network of the rule's interface, from its source."""

import sys

import pytest

from support.lab.figure3 import SERVER, Figure3
from support.lab.flows import FlowCounters

POLICY = """version: 1
paths:
  v4-2b: { interface: eth2, gateway: 192.168.2.2 }
  v6-2b: { interface: eth2, gateway: "2001:db8:2::2" }
profiles:
  routed: { rules: [{ to: any, via: [v4-2b, v6-2b] }] }
"""
GROUPS = {"239.1.2.3": "192.168.2.10", "ff0e::1234": "2001:db8:2::10"}
SEND = """
import socket, sys
destination, how = sys.argv[1:]
family = socket.AF_INET6 if ":" in destination else socket.AF_INET
s = socket.socket(family, socket.SOCK_DGRAM)
if how == "connect":
    s.connect((destination, 7777))
    s.send(b"x")
else:
    s.sendto(b"x", (destination, 7777))
"""


@pytest.fixture
def host():
    with Figure3("metrics") as host:
        yield host


@pytest.mark.parametrize("how", ["connect", "sendto"])
@pytest.mark.parametrize("group", GROUPS)
def test_it_leaves_by_the_interface_of_the_rule(host, group, how):
    flows = FlowCounters(host.client)
    with host.serving(POLICY) as broker:
        host.px(broker, [sys.executable, "-c", SEND, group, how], "routed")
    assert flows.left(group) == {"eth2": 1}
    assert [flow.source for flow in flows.flows() if flow.destination == group] == [GROUPS[group]]


def test_a_socket_that_had_the_mark_of_a_router_loses_it(host):
    flows = FlowCounters(host.client)
    script = SEND + f"s.sendto(b'x', ('{SERVER}', 7777))\ns.sendto(b'x', (destination, 7777))\n"
    with host.serving(POLICY) as broker:
        host.px(broker, [sys.executable, "-c", script, "239.1.2.3", "sendto"], "routed")
    assert flows.left("239.1.2.3") == {"eth2": 2}
    assert flows.left(SERVER) == {"eth2": 1}
    assert ("2b", "192.168.2.10") in host.routes_taken(SERVER)
