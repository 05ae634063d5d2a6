# SPDX-License-Identifier: MIT
"""Ten thousand lookups of programs under three profiles, and of bare ones, all at once, while links go
and come: no question comes to another network's server, nor leaves by another uplink."""

import collections
import json
import subprocess

import pytest

from support.lab.three_uplinks import CORPORATE, PUBLIC, PUBLIC_OTHER, UPLINKS
from support.programs import CLIENTS
from support.servers.uplink_name_servers import name_servers
from support.wait import wait_until

pytestmark = pytest.mark.broker

LAN, LTE, VPN = UPLINKS
ANSWERS = {"lan": PUBLIC, "lte": PUBLIC_OTHER, "vpn": CORPORATE}
BARE = "bare"
PROFILES = "".join(
    f"""  {u.name}:
    dns: {{ via: {u.name}, servers: ["{u.gateway}"], options: {{ timeout: 1s, attempts: 1 }} }}
"""
    for u in UPLINKS
)
PATHS = "".join(f"  {u.name}: {{ interface: {u.interface} }}\n" for u in UPLINKS)
POLICY = f"""version: 1
paths:
{PATHS}profiles:
{PROFILES}"""
PROGRAMS = 2  # of each
EACH = 1250  # lookups
assert PROGRAMS * EACH * (len(UPLINKS) + 1) == 10_000


@pytest.fixture(name="dns")
def _dns(lab):
    """Each knows all names, by one address of its own. The host itself asks lan's."""
    own = {name: [f"--address=/test/{address}"] for name, address in ANSWERS.items()}
    with name_servers(lab, dict.fromkeys(ANSWERS, ""), own=own) as servers:
        yield servers


def start(lab, broker, who, number):
    argv = ["/usr/bin/python3", CLIENTS / "look_up_many.py", f"{number}.{who}.test", str(EACH)]
    if who == BARE:
        return lab.client.popen(argv, stdout=subprocess.PIPE)
    return lab.px_popen(broker, argv, who, stdout=subprocess.PIPE)


def go_and_come(lab, dns, programs):
    """Each of two links, in turns, with lookups in between, while programs of its profile run. lan's
    stays, by which the host asks. How often."""

    def running(name):
        return any(who == name and program.poll() is None for who, program in programs)

    gone = collections.Counter()
    changes = {"vpn": (lab.link_down, lab.restore), "lte": (lab.unplug, lab.plug)}
    while any(map(running, changes)):
        for name, (down, up) in changes.items():
            down(name)
            up(name)
            gone[name] += running(name)
            enough = packets(dns, name) + 200
            wait_until(lambda: not running(name) or packets(dns, name) > enough, "it is used", 30)
    return gone


def packets(dns, name):
    return dns.left().get(f"{name}0", 0)


def test_ten_thousand_while_links_go_and_come(lab, broker, dns):
    users = [*ANSWERS, BARE]
    programs = [(who, start(lab, broker, who, n)) for who in users for n in range(PROGRAMS)]
    gone = go_and_come(lab, dns, programs)
    found = [(who, json.loads(program.communicate(timeout=60)[0])) for who, program in programs]
    assert gone["vpn"] and gone["lte"]
    for who, counts in found:
        own = ANSWERS["lan" if who == BARE else who]
        assert counts[own] == EACH
        assert set(counts) <= {own, "again"}
    # By whose names, at each server; by each uplink, for each server.
    for uplink in UPLINKS:
        askers = {question.split()[1].split(".")[2] for question in dns.asked(uplink.name)}
        assert askers == {uplink.name, *([BARE] if uplink == LAN else [])}
    assert set(dns.left_for()) == {(u.interface, u.gateway) for u in UPLINKS}
    assert sum(dns.left_for().values()) == sum(dns.left().values())
