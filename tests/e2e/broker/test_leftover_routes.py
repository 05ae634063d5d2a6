# SPDX-License-Identifier: MIT
"""PX-2: routing rules and tables that a killed broker left are removed at the next start."""

import pytest

from support.lab.broker import POLICY, Broker
from support.unprivileged import UnprivilegedNamespace

pytestmark = pytest.mark.broker

TABLE = 0x70780000 + 7
LEFT_OVER = [
    *(
        line
        for family in ("-4", "-6")
        for line in (
            f"{family} route add unreachable default metric 4294967295 table {TABLE} protocol 112",
            f"{family} rule add fwmark 0x7000000/0xff000000 lookup {TABLE} priority 5000 "
            "protocol 112",
            f"{family} rule add not fwmark 0/0xff000000 unreachable priority 5001 protocol 112",
        )
    ),
    f"route add default via 10.8.0.1 dev vpn0 table {TABLE} protocol 112",
]
FOREIGN = [
    "rule add fwmark 0x7/0xff lookup 77 priority 5000",
    "route add default via 10.8.0.1 dev vpn0 table 77",
]


def routing(namespace):
    """Every rule and route, as iproute2 lists them."""
    listed = ("-4 rule", "-6 rule", "-4 route show table all", "-6 route show table all")
    # Multicast routes come and go by themselves.
    return [
        line
        for words in listed
        for line in namespace.run(["ip", *words.split()]).stdout.splitlines()
        if "multicast" not in line
    ]


def leave(namespace, lines):
    for line in lines:
        namespace.run(["ip", *line.split()])


def test_what_a_killed_broker_left_goes_at_the_next_start(lab):
    leave(lab.client, FOREIGN)
    before = routing(lab.client)
    leave(lab.client, LEFT_OVER)
    lab.client.run(["nft", "add table inet px"])
    assert routing(lab.client) != before
    broker = lab.start_broker()
    assert routing(lab.client) == before
    assert "inet px\n" not in lab.client.run(["nft", "list", "tables"]).stdout
    assert broker.ask("doctor")["healthy"]
    assert broker.stop() == 0
    assert routing(lab.client) == before


def test_a_private_broker_leaves_it_alone(lab):
    leave(lab.client, LEFT_OVER)
    before = routing(lab.client)
    lab.px(None, ["true"], profile=None, words=["--via", "lan0"])
    assert routing(lab.client) == before


def test_an_unprivileged_broker_says_why_there_are_no_next_hops(lab):
    leave(lab.client, LEFT_OVER)
    before = routing(lab.client)
    broker = Broker(UnprivilegedNamespace(lab.client), lab.directory / "px", POLICY)
    findings = [each["what"] for each in broker.ask("doctor")["findings"]]
    assert any("CAP_NET_ADMIN" in what for what in findings)
    assert broker.stop() == 0
    assert routing(lab.client) == before
