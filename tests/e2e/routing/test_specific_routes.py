# SPDX-License-Identifier: MIT
"""PX-2, PX-7: a router is a way out for any destination, also where the host's routes name it for
some destinations alone."""

import pytest

from support.clients.running_program import RunningProgram
from support.lab.broker import Broker
from support.lab.three_uplinks import CORPORATE, CORPORATE6, PUBLIC, PUBLIC6
from support.unprivileged import UnprivilegedNamespace
from support.wait import wait_until

pytestmark = pytest.mark.routes

POLICY = """version: 1
paths:
  vpn: { interface: vpn0, gateway: 10.8.0.1 }
  vpn6: { interface: vpn0, gateway: "fd08::1" }
profiles:
  through: { rules: [ { to: any, via: [vpn, vpn6] } ] }
"""
ROUTERS = ("10.8.0.1", "fd08::1")
SPECIFIC = ["route add 10.0.0.0/8 via 10.8.0.1 dev vpn0", "route add fd20::/16 via fd08::1 dev vpn0"]
EVERYWHERE = (PUBLIC, PUBLIC6, CORPORATE, CORPORATE6)


@pytest.fixture
def without_default(lab):
    """No default route by vpn0."""
    lab.client.ip(*lab.routes("vpn", "del"))
    return lab


def arrives(lab, program):
    for destination in EVERYWHERE:
        lab.flows.reset()
        connection = program.connect(destination)
        assert connection.error is None, destination
        assert connection.source == lab.uplink("vpn").source_for(destination)
        assert set(lab.flows.left(destination)) == {"vpn0"}


def test_a_router_that_a_specific_route_names(without_default):
    lab = without_default
    lab.client.ip(*SPECIFIC)
    with lab.serving(POLICY) as broker:
        arrives(lab, RunningProgram(lab, broker, "through"))


def test_a_router_that_was_added_before_the_route(without_default):
    lab = without_default
    with lab.serving(POLICY) as broker:
        for router in ROUTERS:
            assert f"{router} is a next hop of vpn0." in broker.pxctl("router", "add", router).stdout
        program = RunningProgram(lab, broker, "through")
        arrives(lab, program)
        lab.client.ip(*SPECIFIC)
        wait_until(
            lambda: all(e["default_next_hop"] for e in broker.ask("paths")["entries"]
                        if e["interface"] == "vpn0" and e["next_hop"] in ROUTERS),
            "the broker has seen the routes",
        )
        arrives(lab, program)


def test_without_the_privilege_it_serves_what_its_routes_name(without_default):
    lab = without_default
    lab.client.ip(*SPECIFIC)
    broker = Broker(UnprivilegedNamespace(lab.client), lab.directory / "px", POLICY)
    program = RunningProgram(lab, broker, "through")
    assert program.connect(CORPORATE).source == "10.8.0.2"
    assert program.connect(PUBLIC).error == "ENETUNREACH"
    explained = broker.ask("explain", "curl", PUBLIC, "--profile", "through")
    assert "for other destinations alone" in explained["candidates"][0]["why"]
    assert broker.stop() == 0, broker.log_text
