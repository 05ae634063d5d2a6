# SPDX-License-Identifier: MIT
"""An uplink loses its link, address or route: the next connection takes the next entry, or fails at
once, and nothing leaves elsewhere. It is taken again once it is back, without any restart."""

import pytest

from support.clients.running_program import RunningProgram
from support.lab.three_uplinks import CORPORATE, CORPORATE6, PUBLIC, PUBLIC6
from support.wait import wait_until

pytestmark = [pytest.mark.broker, pytest.mark.routes]

# Far below the second that the first lost SYN would take.
AT_ONCE = 0.3


def remove_addresses(lab, name):
    lab.client.ip(*lab.uplink(name).addresses("del"))


def remove_routes(lab, name):
    lab.client.ip(*lab.routes(name, "del"))


# How an uplink is lost, and how it is had again.
LOSSES = {
    "link-down": (lambda lab, name: lab.link_down(name), lambda lab, name: lab.restore(name)),
    "no-carrier": (lambda lab, name: lab.unplug(name), lambda lab, name: lab.plug(name)),
    "address-removed": (remove_addresses, lambda lab, name: lab.restore(name)),
    "route-removed": (remove_routes, lambda lab, name: lab.restore(name)),
}


def explained(broker, destination):
    verdict = broker.ask("explain", "curl", destination, "80", "--profile", "vpn-split")
    return verdict["entry"]["interface"] if verdict["entry"] else verdict["errno"]


def wait_for(broker, destination, outcome):
    wait_until(lambda: explained(broker, destination) == outcome, f"{destination} by {outcome}")


@pytest.mark.parametrize("loss", LOSSES)
def test_the_next_of_via_takes_over(lab, broker, program, loss):
    take, give = LOSSES[loss]
    for destination in (PUBLIC, PUBLIC6):
        assert program.connect(destination).source == lab.uplink("lte").source_for(destination)
    take(lab, "lte")
    for destination in (PUBLIC, PUBLIC6):
        wait_for(broker, destination, "lan0")
        lab.flows.reset()
        for transport in ("tcp", "udp"):
            connection = program.connect(destination, transport=transport)
            assert connection.source == lab.uplink("lan").source_for(destination)
        assert set(lab.flows.left(destination)) == {"lan0"}
    give(lab, "lte")
    for destination in (PUBLIC, PUBLIC6):
        wait_for(broker, destination, "lte0")
        lab.flows.reset()
        assert program.connect(destination).source == lab.uplink("lte").source_for(destination)
        assert set(lab.flows.left(destination)) == {"lte0"}


@pytest.mark.parametrize("loss", LOSSES)
def test_with_none_left_nothing_leaves(lab, broker, program, loss):
    take, give = LOSSES[loss]
    take(lab, "vpn")
    for destination in (CORPORATE, CORPORATE6):
        wait_for(broker, destination, "ENETUNREACH")
        for transport in ("tcp", "udp"):
            for blocking in (True, False):
                blocked = program.connect(destination, transport=transport, blocking=blocking)
                assert blocked.error == "ENETUNREACH"
                assert blocked.seconds < AT_ONCE
        assert lab.flows.left(destination) == {}
    assert broker.program(program.pid)["unavailable"] == 8
    give(lab, "vpn")
    for destination in (CORPORATE, CORPORATE6):
        wait_for(broker, destination, "vpn0")
        assert program.connect(destination).source == lab.uplink("vpn").source_for(destination)
        assert set(lab.flows.left(destination)) == {"vpn0"}


def test_nothing_leaves_elsewhere_while_the_broker_does_not_know_yet(lab, program):
    """Without waiting for the broker: no race makes another uplink be taken."""
    for _ in range(10):
        lab.link_down("vpn")
        assert program.connect(CORPORATE).error == "ENETUNREACH"
        lab.restore("vpn")
        program.connect(CORPORATE)
    assert set(lab.flows.left(CORPORATE)) <= {"vpn0"}


def test_a_device_made_again_is_taken_again(lab, broker, program):
    vpn = lab.uplink("vpn")
    lab.client.ip(f"link del {vpn.interface}")
    wait_for(broker, CORPORATE, "ENETUNREACH")
    assert program.connect(CORPORATE).error == "ENETUNREACH"
    router = lab.routers["vpn"]
    router.ip(
        "link add client index 101 type veth peer name vpn0 netns client",
        f"address add {vpn.gateway}/24 dev client",
        f"address add {vpn.gateway6}/64 dev client nodad",
        "link set client up",
    )
    lab.restore("vpn")
    wait_for(broker, CORPORATE, "vpn0")
    assert program.connect(CORPORATE).source == vpn.source


@pytest.mark.parametrize(
    "choice, source", [("next", "192.168.1.2"), ("system", "192.168.1.2"), ("block", None)]
)
def test_if_unavailable(lab, broker, choice, source):
    policy = f"""version: 1
paths: {{ vpn: {{ interface: vpn0 }}, lte: {{ interface: lte0 }}, lan: {{ interface: lan0 }} }}
profiles:
  chosen:
    if-unavailable: {choice}
    rules:
      - {{ to: 10.0.0.0/8, via: vpn }}
      - {{ to: any, via: lan }}
"""
    assert broker.reload(policy).returncode == 0
    client = RunningProgram(lab, broker, "chosen")
    assert client.connect(CORPORATE).source == "10.8.0.2"
    lab.link_down("vpn")
    wait_until(
        lambda: not any(
            entry["usable"]
            for entry in broker.ask("paths")["entries"]
            if entry["interface"] == "vpn0"
        ),
        "vpn0 is not usable",
    )
    connection = client.connect(CORPORATE)
    assert connection.source == source
    assert connection.error == (None if source else "ENETUNREACH")
