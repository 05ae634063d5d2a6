# SPDX-License-Identifier: MIT
"""Servers by name inside one profile: a name is asked of those whose it is, and of nobody else."""

import pytest

from support.lab.three_uplinks import CORPORATE, PUBLIC, PUBLIC_OTHER, UPLINKS
from support.servers.uplink_name_servers import name_servers

LAN, LTE, VPN = UPLINKS
PATHS = "".join(f"  {u.name}: {{ interface: {u.interface} }}\n" for u in UPLINKS)
POLICY = f"""version: 1
paths:
{PATHS}profiles:
  some:
    dns:
      - names: ["*.corp.test", corp.test, "*.1.51.198.in-addr.arpa"]
        via: vpn
        servers: ["{VPN.gateway}"]
        search: [corp.test]
        options: {{ timeout: 1s, attempts: 1 }}
      - {{ names: ["*.lab.corp.test", one.corp.test], via: lte, servers: ["{LTE.gateway}"] }}
  all:
    dns:
      - {{ names: ["*.corp.test"], via: vpn, servers: ["{VPN.gateway}"] }}
      - {{ via: lte, servers: ["{LTE.gateway}"], search: [lab.test] }}
"""
NAMES = ["www.corp.test", "corp.test", "a.lab.corp.test", "lab.corp.test", "one.corp.test"]
NAMES += ["other.test", "www.lab.test"]
ANSWERS = {"lan": PUBLIC, "lte": PUBLIC_OTHER, "vpn": CORPORATE}
HOSTS = {name: f"{address} {' '.join(NAMES)} {name}.test {name}.corp.test\n"
         for name, address in ANSWERS.items()}


@pytest.fixture(name="dns")
def _dns(lab):
    with name_servers(lab, HOSTS) as servers:
        # As a VPN's client leaves it: the host itself would ask its own server for these.
        servers.resolver.write_text(
            f"nameserver {LAN.gateway}\nsearch corp.test\n", encoding="utf-8"
        )
        yield servers


def asked_of(lab, broker, dns, name, profile="some", found=True):
    """By which interfaces questions have left."""
    dns.forget()
    done = lab.px(broker, ["getent", "ahostsv4", name], profile, check=False)
    left = set(dns.left())
    if found:
        assert done.returncode == 0
        interface = next(iter(left))
        name_of_uplink = next(u.name for u in UPLINKS if u.interface == interface)
        assert done.stdout.split()[0] == ANSWERS[name_of_uplink]
    else:
        assert done.returncode == 2
    return left


def test_the_longest_match_decides(lab, broker, dns):
    expected = {
        "www.corp.test": "vpn0",
        "WWW.Corp.Test.": "vpn0",
        "corp.test": "vpn0",
        "lab.corp.test": "vpn0",
        "a.lab.corp.test": "lte0",
        "one.corp.test": "lte0",
    }
    assert {name: asked_of(lab, broker, dns, name) for name in expected} == {
        name: {interface} for name, interface in expected.items()
    }


def test_what_is_nobodys_goes_as_without_px(lab, broker, dns):
    assert asked_of(lab, broker, dns, "other.test") == {"lan0"}
    assert asked_of(lab, broker, dns, "lan.test") == {"lan0"}


def test_without_a_name_an_entry_has_all_others(lab, broker, dns):
    assert asked_of(lab, broker, dns, "other.test", "all") == {"lte0"}
    assert asked_of(lab, broker, dns, "www.corp.test", "all") == {"vpn0"}
    assert asked_of(lab, broker, dns, "corp.test", "all") == {"lte0"}
    assert asked_of(lab, broker, dns, "lan.test", "all", found=False) == {"lte0"}


def test_what_is_not_there_is_asked_nowhere_else(lab, broker, dns):
    assert asked_of(lab, broker, dns, "lan.corp.test", found=False) == {"vpn0"}
    assert asked_of(lab, broker, dns, "lte.corp.test", found=False) == {"vpn0"}


def test_a_silent_server_is_followed_by_nobody(lab, broker, dns):
    server = next(p for p in lab.routers["vpn"].processes if "dnsmasq" in map(str, p.args))
    server.send_signal(19)
    try:
        assert asked_of(lab, broker, dns, "www.corp.test", found=False) == {"vpn0"}
        assert asked_of(lab, broker, dns, "one.corp.test") == {"lte0"}
    finally:
        server.send_signal(18)


def test_a_path_without_a_link_leaves_its_names_unanswered(lab, broker, dns):
    lab.link_down("vpn")
    assert asked_of(lab, broker, dns, "www.corp.test", found=False) == set()
    assert asked_of(lab, broker, dns, "other.test") == {"lan0"}


def test_a_name_without_dots_has_the_profiles_search_list_alone(lab, broker, dns):
    assert asked_of(lab, broker, dns, "www") == {"vpn0"}
    # Search lists lead to another entry, too.
    assert asked_of(lab, broker, dns, "one") == {"lte0"}
    # The host's search list would have it, and its server would know it.
    assert asked_of(lab, broker, dns, "lan", found=False) == {"vpn0"}
    assert asked_of(lab, broker, dns, "www", "all") == {"lte0"}


def test_addresses_have_names_by_pattern(lab, broker, dns):
    for address, interface in ((PUBLIC, "lan0"), (CORPORATE, "lan0"), ("198.51.1.9", "vpn0")):
        dns.forget()
        lab.px(broker, ["getent", "hosts", address], "some", check=False)
        assert set(dns.left()) == {interface}


RESOLVER = """
import ctypes, sys
libc = ctypes.CDLL(None)
room = ctypes.create_string_buffer(1024)
for call in ("res_query", "res_search"):
    for name in sys.argv[1:]:
        print(getattr(libc, call)(name.encode(), 1, 1, room, 1024) > 0)
"""


def test_calls_of_the_resolver_follow_the_names(lab, broker, dns):
    for name, interface in (("www.corp.test", "vpn0"), ("other.test", "lan0")):
        dns.forget()
        done = lab.px(broker, ["/usr/bin/python3", "-c", RESOLVER, name], "some")
        assert done.stdout.split() == ["True", "True"]
        assert set(dns.left()) == {interface}


def test_it_is_said(lab, broker):
    report = broker.ask("explain", "curl", PUBLIC, "--profile", "all")["dns"]
    assert [(server["server"], server["names"]) for server in report["servers"]] == [
        (VPN.gateway, ["*.corp.test"]),
        (LTE.gateway, None),
    ]
    assert report["search"] == ["lab.test"]
    text = broker.pxctl("explain", "curl", PUBLIC, "--profile", "all").stdout
    assert f"The names *.corp.test are asked of {VPN.gateway} out of vpn0" in text
    assert f"All other names are asked of {LTE.gateway} out of lte0" in text
    text = broker.pxctl("explain", "curl", PUBLIC, "--profile", "some").stdout
    assert "All other names are looked up as without px." in text
    assert "*.lab.corp.test, one.corp.test" in broker.pxctl("names").stdout
    status = broker.ask("status")
    entries = next(p for p in status["profiles"] if p["name"] == "all")["dns"]["entries"]
    assert [entry["names"] for entry in entries] == [["*.corp.test"], None]
