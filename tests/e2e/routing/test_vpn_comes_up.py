# SPDX-License-Identifier: MIT
"""A VPN that comes up while px runs puts its rules before all others, as `ip rule add` does without
a priority. What px marks leaves as before, and so does what the VPN takes."""

import json

import pytest

from support.clients.running_program import RunningProgram
from support.lab.three_uplinks import PUBLIC
from support.urls import url
from support.wait import wait_until

# The source is another interface's, so the entry takes a mark.
POLICY = """version: 1
paths:
  crossed: { interface: lte0, source: 192.168.1.2 }
profiles:
  crossed: { rules: [ { to: any, via: crossed } ] }
"""
# wg-quick's, in its order: the second must come to stand before the first.
RULES = ("not fwmark 51820 lookup 51820", "lookup main suppress_prefixlength 0")


def rules(lab):
    """[(priority, whether px's)] of IPv4, the local table's left out."""
    found = json.loads(lab.client.run(["ip", "-4", "-j", "rule"]).stdout)
    return [(r["priority"], r.get("protocol") == "112") for r in found if r["priority"] != 0]


def px_is_first(lab):
    own = [priority for priority, is_own in rules(lab) if is_own]
    return own and max(own) < min(priority for priority, is_own in rules(lab) if not is_own)


@pytest.mark.broker
def test_what_is_marked_leaves_as_before(lab):
    with lab.serving(POLICY) as broker:
        program = RunningProgram(lab, broker, "crossed")
        assert program.connect(PUBLIC).error is None
        assert px_is_first(lab)
        before = [priority for priority, is_own in rules(lab) if is_own]
        lab.client.ip("route add default via 10.8.0.1 dev vpn0 table 51820")
        lab.client.ip(*(f"rule add {rule}" for rule in RULES), family=4)
        wait_until(lambda: px_is_first(lab), "px's rules stand before the VPN's")
        lab.flows.reset()
        assert program.connect(PUBLIC).error is None
        assert set(lab.flows.left(PUBLIC)) == {"lte0"}
        lab.flows.reset()
        assert lab.client.run(["curl", "-sS", url(PUBLIC)]).stdout.split()[0] == "10.8.0.2"
        assert set(lab.flows.left(PUBLIC)) == {"vpn0"}
        lab.client.ip(*(f"rule del {rule}" for rule in RULES), family=4)
        wait_until(
            lambda: [priority for priority, is_own in rules(lab) if is_own] == before,
            "px's rules are back",
        )
        assert program.connect(PUBLIC).error is None
