# SPDX-License-Identifier: MIT
"""Datagram servers under `listen`: called at either address over either network (PX-5)."""

import pytest

from support.lab.three_uplinks import PUBLIC, PUBLIC6
from support.servers.datagram_server import CALLED, answered_by, answers

POLICY = """version: 1
paths:
  vpn: { interface: vpn0 }
profiles:
  interface:
    listen: received-interface
  source:
    listen: { mode: received-source, via: vpn }
"""


@pytest.fixture
def listeners(lab):
    with lab.serving(POLICY) as broker:
        yield broker


def called_over(lab, name, address):
    """From now on `address` is reached over this uplink's network."""
    uplink = lab.uplink(name)
    if ":" in address:
        lab.server.ip(f"route replace {address}/128 via fd16:{uplink.number}::1")
        lab.routers[name].ip(f"route replace {address}/128 via {uplink.source6}")
    else:
        lab.server.ip(f"route replace {address}/32 via 172.16.{uplink.number}.1")
        lab.routers[name].ip(f"route replace {address}/32 via {uplink.source}")


@pytest.mark.routes
@pytest.mark.parametrize("how", ["recvfrom", "recvmsg", "recvmmsg"])
@pytest.mark.parametrize("source", [PUBLIC, PUBLIC6])
def test_received_interface(lab, listeners, how, source):
    called = CALLED[source]
    family = "6" if ":" in source else "4"
    heard, _ = answers(lab, [how, family], source)
    assert set(answered_by(lab, source)) == {called[0]}, "bare: the default uplink's"
    lab.flows.reset()
    heard, _ = answers(lab, [how, family], source, listeners, "interface")
    assert heard == {each: each for each in called}
    assert answered_by(lab, source) == dict(zip(called, ("lan0", "lte0", "vpn0")))


@pytest.mark.routes
def test_received_interface_at_the_other_networks_address(lab, listeners):
    lan, lte, vpn = CALLED[PUBLIC]
    called_over(lab, "vpn", lte)
    called_over(lab, "lte", vpn)
    heard, _ = answers(lab, ["recvfrom", "both"], PUBLIC, listeners, "interface")
    assert heard == {each: each for each in (lan, lte, vpn)}
    assert answered_by(lab, PUBLIC) == {lan: "lan0", lte: "vpn0", vpn: "lte0"}


@pytest.mark.routes
@pytest.mark.parametrize("source", [PUBLIC, PUBLIC6])
def test_received_source(lab, listeners, source):
    called = CALLED[source]
    family = "6" if ":" in source else "4"
    heard, _ = answers(lab, ["recvfrom", family], source, listeners, "source")
    assert heard == {each: each for each in called}
    assert answered_by(lab, source) == dict.fromkeys(called, "vpn0")
