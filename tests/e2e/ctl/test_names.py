# SPDX-License-Identifier: MIT
"""pxctl names: whom each profile's names are asked of, and what is remembered of that."""

import signal

from support.lab.three_uplinks import CORPORATE, UPLINKS
from support.servers.uplink_name_servers import name_servers
from support.wait import wait_until

VPN = UPLINKS[2]
POLICY = f"""version: 1
paths:
  vpn: {{ interface: vpn0 }}
profiles:
  work:
    dns:
      via: vpn
      servers: ["{VPN.gateway}"]
      options: {{ timeout: 1s, attempts: 1 }}
  play:
    rules: []
"""
HOSTS = {"lan": "", "lte": "", "vpn": f"{CORPORATE} www.test\n"}


def server(broker):
    (profile,) = broker.ask("names")["profiles"]
    assert profile["profile"] == "work"
    (found,) = profile["servers"]
    return found


def look_up(lab, broker, name):
    return lab.px(broker, ["getent", "ahostsv4", name], "work", check=False).returncode


def test_servers_and_what_is_kept(lab):
    with name_servers(lab, HOSTS, ["--local-ttl=600"]), lab.serving(POLICY) as broker:
        assert server(broker) == {
            "server": VPN.gateway,
            "interface": "vpn0",
            "source": VPN.source,
            "usable": True,
            "why": None,
            "names": None,
            "from": "policy",
            "timeout_s": 1,
            "attempts": 1,
            "silent": False,
            "refused": False,
        }
        assert broker.ask("names")["answers"] == 0
        assert look_up(lab, broker, "www.test") == 0
        report = broker.ask("names")
        assert report["answers"] == 1
        assert report["bytes"] > 0
        assert report["under_way"] == 0
        text = broker.pxctl("names").stdout
        assert text.splitlines()[1].split() == [
            "work",
            "all",
            VPN.gateway,
            "policy",
            "vpn0",
            VPN.source,
            "asked",
        ]
        assert "Answers that are kept: 1 (" in text
        lab.link_down("vpn")
        wait_until(lambda: not server(broker)["usable"], "the broker has seen it")
        assert "cannot be reached through vpn now" in broker.pxctl("names").stdout
        assert broker.ask("names")["answers"] == 0


def test_a_server_that_was_silent(lab):
    with name_servers(lab, HOSTS), lab.serving(POLICY) as broker:
        dnsmasq = next(p for p in lab.routers["vpn"].processes if "dnsmasq" in map(str, p.args))
        dnsmasq.send_signal(signal.SIGSTOP)
        assert look_up(lab, broker, "www.test") != 0
        assert server(broker)["silent"]
        assert "was silent, and is asked last" in broker.pxctl("names").stdout
        dnsmasq.send_signal(signal.SIGCONT)
        assert look_up(lab, broker, "www.test") == 0
        assert not server(broker)["silent"]


def test_without_any(lab, broker):
    assert broker.ask("names")["profiles"] == []
    assert broker.pxctl("names").stdout.startswith("No profile has name servers of its own.\n")
