# SPDX-License-Identifier: MIT
"""`dns` without `servers`: those that the host knows of the path's link, as they are at the moment."""

import pathlib
import socket

import pytest

from support.lab.three_uplinks import CORPORATE, PUBLIC, PUBLIC_OTHER, UPLINKS
from support.programs import program_file
from support.servers.host_resolvers import systemd_resolved
from support.wait import wait_until

LAN, LTE, VPN = UPLINKS
POLICY = """version: 1
paths:
  lan: { interface: lan0 }
  both: { interface: "l*0" }
  vpn: { interface: vpn0 }
profiles:
  lan: { dns: { via: lan } }
  both: { dns: { via: both } }
  vpn: { dns: { via: vpn, options: { timeout: 1s, attempts: 1 } } }
  redirected: { dns: { via: vpn, redirect: true } }
"""
ANSWERS = {"lan": PUBLIC, "lte": PUBLIC_OTHER, "vpn": CORPORATE}
HOSTS = {name: f"{address} www.test www.corp.test\n" for name, address in ANSWERS.items()}
RECORDS = pathlib.Path("/run/resolvconf/interface")


def servers(broker, profile):
    found = next(p for p in broker.ask("names")["profiles"] if p["profile"] == profile)
    return [(server["server"], server["from"]) for server in found["servers"]]


def becomes(broker, profile, expected):
    wait_until(lambda: servers(broker, profile) == expected, f"{profile} has {expected}")


def look_up(lab, broker, dns, profile, name="www.test"):
    dns.forget()
    done = lab.px(broker, ["getent", "ahostsv4", name], profile, check=False)
    return (done.stdout.split() or [None])[0], set(dns.left())


def record(name, text):
    """As resolvconf writes one."""
    RECORDS.mkdir(parents=True, exist_ok=True)
    new = RECORDS.parent / "new"
    new.write_text(text, encoding="utf-8")
    new.rename(RECORDS / name)


@pytest.fixture(autouse=True)
def _no_records():
    yield
    for file in RECORDS.glob("*"):
        file.unlink()


def test_what_resolvconf_has_of_a_link(lab, dns):
    record("tun.vpn0", f"nameserver {VPN.gateway}\nsearch corp.test\n")
    with lab.serving(POLICY) as broker:
        assert servers(broker, "vpn") == [(VPN.gateway, "resolvconf")]
        assert look_up(lab, broker, dns, "vpn") == (CORPORATE, {"vpn0"})
        # Its domains are searched.
        assert look_up(lab, broker, dns, "vpn", "www") == (CORPORATE, {"vpn0"})
        assert "A www.corp.test" in dns.asked("vpn")
        text = broker.pxctl("explain", "curl", PUBLIC, "--profile", "vpn").stdout
        assert f"asked of {VPN.gateway} out of vpn0 from {VPN.source}, as resolvconf says" in text


def test_they_are_those_of_the_moment(lab, dns):
    with lab.serving(POLICY) as broker:
        text = broker.pxctl("names").stdout
        assert "no name server of the paths' links is known now" in text
        assert look_up(lab, broker, dns, "vpn") == (None, set())
        record("vpn0.openvpn", f"nameserver {VPN.gateway}\n")
        becomes(broker, "vpn", [(VPN.gateway, "resolvconf")])
        assert look_up(lab, broker, dns, "vpn") == (CORPORATE, {"vpn0"})
        record("vpn0.openvpn", "nameserver 10.8.0.99\n")
        becomes(broker, "vpn", [("10.8.0.99", "resolvconf")])
        assert look_up(lab, broker, dns, "vpn") == (None, {"vpn0"})
        (RECORDS / "vpn0.openvpn").unlink()
        becomes(broker, "vpn", [(None, None)])


def test_redirection_follows_the_links_and_the_host(lab, dns):
    def ask(server):
        words = [program_file("ask_name"), "sendto", "www.test", server, "53"]
        return lab.px(broker, words, "redirected", check=False).stdout.strip()

    with lab.serving(POLICY) as broker:
        for server in ("127.0.0.53", LAN.gateway):
            assert ask(server) == "sendto: ENETUNREACH", "no server is known"
        assert dns.left() == {}
        assert ask(LTE.gateway) == f"{PUBLIC_OTHER} from {LTE.gateway} 53"
        record("vpn0.openvpn", f"nameserver {VPN.gateway}\n")
        becomes(broker, "redirected", [(VPN.gateway, "resolvconf")])
        assert ask(LAN.gateway) == f"{CORPORATE} from {LAN.gateway} 53"
        dns.resolver.write_text(f"nameserver {LTE.gateway}\n", encoding="utf-8")
        # Who writes resolv.conf writes such a record, too.
        record("lte0.dhclient", f"nameserver {LTE.gateway}\n")
        wanted = f"{CORPORATE} from {LTE.gateway} 53"
        wait_until(lambda: ask(LTE.gateway) == wanted, "the host's new server is redirected")
        dns.forget()
        assert ask("127.0.0.53") == f"{CORPORATE} from 127.0.0.53 53"
        assert set(dns.left()) == {"vpn0"}


def test_each_links_servers_are_asked_by_that_link(lab, dns):
    record("lan0.dhclient", "nameserver 203.0.113.99\n")
    record("lte0.dhclient", f"nameserver {LTE.gateway}\n")
    with lab.serving(POLICY) as broker:
        report = next(p for p in broker.ask("names")["profiles"] if p["profile"] == "both")
        found = {server["server"]: server["interface"] for server in report["servers"]}
        assert found == {"203.0.113.99": "lan0", LTE.gateway: "lte0"}


def test_what_networkd_has_of_a_link(lab, dns):
    index = next(link["ifindex"] for link in lab.client.links() if link["ifname"] == "vpn0")
    state = pathlib.Path("/run/systemd/netif/links")
    state.mkdir(parents=True, exist_ok=True)
    with lab.serving(POLICY) as broker:
        becomes(broker, "vpn", [(None, None)])
        (state / f"{index}").write_text(f"OPER_STATE=routable\nDNS={VPN.gateway}\n", encoding="utf-8")
        becomes(broker, "vpn", [(VPN.gateway, "systemd-networkd")])
        assert look_up(lab, broker, dns, "vpn") == (CORPORATE, {"vpn0"})
    (state / f"{index}").unlink()


def test_without_a_links_own_those_of_resolv_conf_that_it_leads_to(lab, dns):
    dns.resolver.write_text(f"nameserver 127.0.0.53\nnameserver {LAN.gateway}\n", encoding="utf-8")
    with lab.serving(POLICY) as broker:
        assert servers(broker, "lan") == [(LAN.gateway, "/etc/resolv.conf")]
        assert look_up(lab, broker, dns, "lan") == (PUBLIC, {"lan0"})


def test_what_systemd_resolved_has_of_a_link(lab, dns):
    with systemd_resolved(lab) as resolved, lab.serving(POLICY) as broker:
        resolved.control("dns", "vpn0", VPN.gateway)
        resolved.control("domain", "vpn0", "corp.test", "~other.test")
        becomes(broker, "vpn", [(VPN.gateway, "systemd-resolved")])
        wait_until(lambda: search(broker) == ["corp.test"], "its domain is known")
        assert look_up(lab, broker, dns, "vpn") == (CORPORATE, {"vpn0"})
        assert look_up(lab, broker, dns, "vpn", "www") == (CORPORATE, {"vpn0"})
        resolved.control("dns", "vpn0", "10.8.0.99", f"{VPN.gateway}:5353")
        becomes(
            broker,
            "vpn",
            [("10.8.0.99", "systemd-resolved"), (f"{VPN.gateway}:5353", "systemd-resolved")],
        )
        resolved.control("revert", "vpn0")
        becomes(broker, "vpn", [(None, None)])


# The bus is there as soon as anybody listens at its socket, and so is what files tell.
def test_a_bus_that_says_nothing_hides_no_file(lab, dns):
    record("tun.vpn0", f"nameserver {VPN.gateway}\n")
    place = pathlib.Path("/run/dbus/system_bus_socket")
    place.parent.mkdir(exist_ok=True)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(place))
        silent.listen()
        try:
            with lab.serving(POLICY) as broker:
                becomes(broker, "vpn", [(VPN.gateway, "resolvconf")])
                assert look_up(lab, broker, dns, "vpn") == (CORPORATE, {"vpn0"})
        finally:
            place.unlink()


def test_systemd_resolved_that_is_gone_for_a_moment(lab, dns):
    record("vpn0.openvpn", "nameserver 10.8.0.99\n")
    with systemd_resolved(lab) as resolved, lab.serving(POLICY) as broker:
        resolved.control("dns", "vpn0", VPN.gateway)
        becomes(broker, "vpn", [(VPN.gateway, "systemd-resolved")])
        resolved.end()
        record("lte0.dhclient", f"nameserver {LTE.gateway}\n")

        def of_both():
            reports = {p["profile"]: p["servers"] for p in broker.ask("names")["profiles"]}
            texts = {name: [s["server"] for s in servers] for name, servers in reports.items()}
            return LTE.gateway in texts["both"] and texts["vpn"]

        # In the same answer: what was read since it has gone.
        assert wait_until(of_both, "links were read again") == [VPN.gateway]
        becomes(broker, "vpn", [("10.8.0.99", "resolvconf")])


def search(broker):
    return next(p for p in broker.ask("names")["profiles"] if p["profile"] == "vpn")["search"]
