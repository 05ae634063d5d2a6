# SPDX-License-Identifier: MIT
"""What name servers have answered is remembered for all programs that ask the same servers by the same
path, for as long as the servers say, and forgotten with the path."""

import pytest

from support.lab.three_uplinks import CORPORATE, PUBLIC, PUBLIC_OTHER, UPLINKS
from support.servers.uplink_name_servers import name_servers
from support.wait import wait_until

VPN = UPLINKS[2]
POLICY = f"""version: 1
paths:
  vpn: {{ interface: vpn0 }}
  lte: {{ interface: lte0 }}
profiles:
  one:
    dns: {{ via: vpn, servers: ["{VPN.gateway}"] }}
  two:
    dns: {{ via: vpn, servers: ["{VPN.gateway}"] }}
  other:
    dns: {{ via: lte, servers: ["{UPLINKS[1].gateway}"] }}
"""
HOSTS = {name: f"{address} www.test\n" for name, address in
         {"lan": PUBLIC, "lte": PUBLIC_OTHER, "vpn": CORPORATE}.items()}


@pytest.fixture(name="dns")
def _dns(lab):
    with name_servers(lab, HOSTS, ["--local-ttl=600"]) as servers:
        yield servers


def look_up(lab, broker, profile, name="www.test"):
    return lab.px(broker, ["getent", "ahostsv4", name], profile).stdout.split()[0]


def test_programs_share_what_is_known(lab, broker, dns):
    assert look_up(lab, broker, "one") == CORPORATE
    asked = dns.asked("vpn")
    dns.forget()
    for name in ("www.test", "WWW.Test", "www.test."):
        assert look_up(lab, broker, "one", name) == CORPORATE
        assert look_up(lab, broker, "two", name) == CORPORATE
    assert dns.left() == {}
    assert look_up(lab, broker, "other") == PUBLIC_OTHER
    assert dns.asked("vpn") == asked


def test_with_the_link_it_is_forgotten(lab, broker, dns):
    assert look_up(lab, broker, "one") == CORPORATE
    before = len(dns.asked("vpn"))
    lab.link_down("vpn")
    wait_until(lambda: not usable(broker), "the broker has seen it")
    done = lab.px(broker, ["getent", "ahostsv4", "www.test"], "one", check=False)
    assert done.returncode != 0
    lab.restore("vpn")
    wait_until(lambda: usable(broker), "the broker has seen it")
    assert look_up(lab, broker, "one") == CORPORATE
    assert len(dns.asked("vpn")) > before


def usable(broker):
    report = broker.ask("explain", "curl", PUBLIC, "--profile", "one")
    return all(server["usable"] for server in report["dns"]["servers"])


def test_what_is_not_there_is_asked_again_where_nobody_says_for_how_long(lab, broker, dns):
    for _ in range(2):
        done = lab.px(broker, ["getent", "ahostsv4", "nowhere.test"], "one", check=False)
        assert done.returncode == 2
    assert dns.asked("vpn").count("A nowhere.test") == 2
