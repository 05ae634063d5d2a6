# SPDX-License-Identifier: MIT
"""The lab itself: without px everything leaves by lan0, and the counters would show a leak."""

import pytest

from support.clients.running_program import RunningProgram
from support.lab.three_uplinks import CORPORATE, PUBLIC, PUBLIC6, SERVER_ADDRESSES, UPLINKS


@pytest.mark.parametrize("destination", SERVER_ADDRESSES)
def test_what_nobody_steers_leaves_by_lan(lab, destination):
    connection = RunningProgram(lab, None).connect(destination)
    assert connection.source == lab.uplink("lan").source_for(destination)
    assert set(lab.flows.left(destination)) == {"lan0"}


@pytest.mark.parametrize("uplink", UPLINKS, ids=lambda uplink: uplink.name)
def test_every_uplink_reaches_every_address(lab, uplink):
    client = RunningProgram(lab, None)
    for destination in SERVER_ADDRESSES:
        connection = client.connect(destination, device=uplink.interface)
        assert connection.source == uplink.source_for(destination)
        assert lab.flows.per_interface("syn", destination) == {uplink.interface: 1}


def test_a_wrong_source_is_answered_on_the_wrong_uplink(lab):
    lan = lab.uplink("lan")
    client = RunningProgram(lab, None)
    client.order(PUBLIC, bind=lab.uplink("vpn").source)
    assert client.answer().source == "10.8.0.2"
    assert set(lab.flows.per_interface("sent", PUBLIC)) == {lan.interface}
    assert set(lab.flows.per_interface("got", PUBLIC)) == {"vpn0"}


def test_asking_for_an_address_on_a_link_is_counted(lab):
    lab.client.ip("route del default dev vpn0 metric 300")
    curl = ["curl", "-s", "--max-time", "1", "--interface", "vpn0", f"http://{CORPORATE}/"]
    assert lab.client.run(curl, check=False).returncode != 0
    assert lab.flows.left(CORPORATE).get("vpn0", 0) > 0


@pytest.mark.parametrize("take, give", [("link_down", "restore"), ("unplug", "plug")])
def test_links_go_and_come_back(lab, take, give):
    client = RunningProgram(lab, None)
    getattr(lab, take)("lan")
    assert not lab.has_carrier("lan")
    getattr(lab, give)("lan")
    for destination in (PUBLIC, PUBLIC6):
        expected = lab.uplink("lan").source_for(destination)
        assert client.connect(destination).source == expected
