# SPDX-License-Identifier: MIT
"""res_init(3) gives programs the servers of their profile, which they ask by packets of their own."""

import pytest

from support.lab.three_uplinks import CORPORATE, PUBLIC, PUBLIC_OTHER, UPLINKS
from support.programs import program_file

HOSTS = {
    "lan": f"{PUBLIC} network.test\n",
    "lte": f"{PUBLIC_OTHER} network.test\n",
    "vpn": f"{CORPORATE} network.test\n",
}
LAN, LTE, VPN = UPLINKS
POLICY = f"""version: 1
paths:
  lan: {{ interface: lan0 }}
  vpn: {{ interface: vpn0 }}
profiles:
  by-ipv4:
    rules: [{{ to: any, via: lan }}]
    dns: {{ via: vpn, servers: ["{VPN.gateway}", "{VPN.gateway6}", "10.8.0.9:5353", "10.8.0.10"] }}
  by-ipv6:
    dns: {{ via: vpn, servers: ["{VPN.gateway6}"] }}
  by-tls:
    dns: {{ via: vpn, servers: ["tls://dns.example@{VPN.gateway}"] }}
  by-name:
    dns: {{ names: corp.example, via: vpn, servers: ["{VPN.gateway}"] }}
  without:
    rules: [{{ to: any, via: vpn }}]
"""
PROGRAM = [program_file("resolver_list"), "network.test"]


def shown(servers, answer):
    lines = [f"{call}: {server}" for call in ("res_init", "res_ninit") for server in servers]
    return [*lines, *([f"network.test: {answer}"] if answer else [])]


def test_the_profiles_servers(lab, broker, dns):
    servers = [f"{VPN.gateway} 53", f"{VPN.gateway6} 53", "10.8.0.9 5353"]
    assert lab.px(broker, PROGRAM, "by-ipv4").stdout.splitlines() == shown(servers, CORPORATE)
    assert set(dns.left()) == {"vpn0"}, "whatever the rules say"
    done = lab.px(broker, PROGRAM, "by-ipv6")
    assert done.stdout.splitlines() == shown([f"{VPN.gateway6} 53"], CORPORATE)
    assert set(dns.left()) == {"vpn0"}


def test_a_server_by_tls_is_none_for_plain_questions(lab, broker, dns):
    assert lab.px(broker, PROGRAM, "by-tls").stdout.splitlines() == shown(["none"], None)
    assert dns.left() == {}


@pytest.mark.parametrize("profile", ["by-name", "without", None])
def test_who_has_no_servers_for_all_names_has_the_hosts(lab, broker, dns, profile):
    done = lab.px(broker, PROGRAM, profile) if profile else lab.client.run(PROGRAM)
    wanted = PUBLIC
    assert done.stdout.splitlines() == shown([f"{LAN.gateway} 53"], wanted)
