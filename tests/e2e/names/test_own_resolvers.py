# SPDX-License-Identifier: MIT
"""Programs that ask name servers by packets of their own: these meet the rules like all others."""

import pytest

from support.lab.three_uplinks import CORPORATE, PUBLIC
from support.servers.name_server import name_server

POLICY = """version: 1
paths:
  vpn: { interface: vpn0 }
profiles:
  by-vpn:
    rules: [{ to: any, via: vpn }]
  by-vpn-for-names:
    rules: [{ to: any, port: 53, via: vpn }, { to: any, port: 853, via: vpn }]
  nobody:
    rules: [{ to: any, port: [53, 853], action: block }]
"""
ONCE = ["+short", "+tries=1", "+time=5"]
RESOLVE = 'require("dns").resolve4("one.test", (e, found) => console.log(e ? e.code : found))'
PROGRAMS = {
    "dig": ["dig", *ONCE, "one.test"],
    "dig by TCP": ["dig", *ONCE, "+tcp", "one.test"],
    "host": ["host", "-t", "A", "-W", "5", "-R", "1", "one.test"],
    "node by c-ares": ["node", "-e", RESOLVE],
}


@pytest.fixture(name="broker")
def _broker(lab):
    with name_server(lab, PUBLIC, f"{CORPORATE} one.test\n"), lab.serving(POLICY) as broker:
        yield broker


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_a_rule_says_by_which_path_a_server_is_asked(lab, broker, name):
    words = PROGRAMS[name]
    for profile in ("by-vpn", "by-vpn-for-names"):
        lab.flows.reset()
        assert CORPORATE in lab.px(broker, words, profile).stdout
        assert set(lab.flows.left(PUBLIC)) == {"vpn0"}
    lab.flows.reset()
    assert CORPORATE in lab.client.run(words).stdout
    assert set(lab.flows.left(PUBLIC)) == {"lan0"}


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_a_rule_refuses(lab, broker, name):
    lab.flows.reset()
    assert CORPORATE not in lab.px(broker, PROGRAMS[name], "nobody", check=False, timeout=60).stdout
    assert lab.flows.left(PUBLIC) == {}


def test_names_by_tls_are_ruled_likewise(lab, broker):
    words = ["nc", "-vz", "-w5", PUBLIC, "853"]
    lab.flows.reset()
    assert "refused" in lab.px(broker, words, "by-vpn-for-names", check=False).stderr
    assert set(lab.flows.left(PUBLIC)) == {"vpn0"}
    lab.flows.reset()
    assert "Permission denied" in lab.px(broker, words, "nobody", check=False).stderr
    assert lab.flows.left(PUBLIC) == {}
