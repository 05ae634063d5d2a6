# SPDX-License-Identifier: MIT
"""Multicast under a rule with a router of its own: no router stands before a group, so what is sent
there goes to the network of the rule's interface, from its source."""

import sys

import pytest

POLICY = """version: 1
paths:
  vpn-4: { interface: vpn0, gateway: 10.8.0.1 }
  vpn-6: { interface: vpn0, gateway: "fd08::1" }
profiles:
  routed: { rules: [{ to: any, via: [vpn-4, vpn-6] }] }
"""
DESTINATIONS = {"239.1.2.3": "10.8.0.2", "ff0e::1234": "fd08::2"}
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


@pytest.mark.parametrize("how", ["connect", "sendto"])
@pytest.mark.parametrize("destination", DESTINATIONS)
def test_it_leaves_by_the_interface_of_the_rule(lab, destination, how):
    with lab.serving(POLICY) as broker:
        lab.px(broker, [sys.executable, "-c", SEND, destination, how], "routed")
    assert lab.flows.left(destination) == {"vpn0": 1}
    assert [flow.source for flow in lab.flows.flows() if flow.destination == destination] == [
        DESTINATIONS[destination]
    ]


def test_a_socket_that_had_the_mark_of_a_router_loses_it(lab):
    script = SEND + "s.sendto(b'x', ('203.0.113.80', 7777))\ns.sendto(b'x', (destination, 7777))\n"
    with lab.serving(POLICY) as broker:
        lab.px(broker, [sys.executable, "-c", script, "239.1.2.3", "sendto"], "routed")
    assert lab.flows.left("239.1.2.3") == {"vpn0": 2}
    assert lab.flows.left("203.0.113.80") == {"vpn0": 1}
