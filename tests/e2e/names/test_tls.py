# SPDX-License-Identifier: MIT
"""Name servers that are asked by TLS, and prove their names, or are not asked at all."""

import json

import pytest

from support.lab.three_uplinks import CORPORATE, UPLINKS
from support.servers.tls_name_server import NAME, tls_name_server
from support.servers.uplink_name_servers import name_servers
from support.wait import wait_until

VPN = UPLINKS[2]
OPTIONS = "options: { timeout: 2s, attempts: 1 }"
POLICY = f"""version: 1
paths:
  vpn: {{ interface: vpn0 }}
profiles:
  good: {{ dns: {{ via: vpn, servers: "tls://{NAME}@{VPN.gateway}", {OPTIONS} }} }}
  wrong: {{ dns: {{ via: vpn, servers: "tls://other.test@{VPN.gateway}", {OPTIONS} }} }}
  plain: {{ dns: {{ via: vpn, servers: "tls://{NAME}@{VPN.gateway}:53", {OPTIONS} }} }}
"""
LARGE = "".join(f"10.9.{n // 250}.{n % 250 + 1} many.test\n" for n in range(2000))
HOSTS = {"lan": "", "lte": "", "vpn": f"{CORPORATE} www.test a.test b.test c.test\n{LARGE}"}
PLAIN = """
table inet px_plain {
  counter plain { }
  chain out {
    type filter hook output priority 0;
    meta l4proto { tcp, udp } th dport 53 counter name plain
  }
}
"""


@pytest.fixture(name="dns")
def _dns(lab):
    with name_servers(lab, HOSTS) as servers:
        lab.client.run(["nft", "-f", "-"], input=PLAIN)
        yield servers


@pytest.fixture(name="tls")
def _tls(lab, dns):
    with tls_name_server(lab, VPN) as server:
        yield server


@pytest.fixture(name="broker")
def _broker(lab, tls):
    with lab.serving(POLICY, variables={"SSL_CERT_FILE": str(tls.authority)}) as broker:
        yield broker


def plain_packets(lab):
    words = ["nft", "-j", "list", "counter", "inet", "px_plain", "plain"]
    listing = json.loads(lab.client.run(words).stdout)["nftables"]
    return next(item["counter"]["packets"] for item in listing if "counter" in item)


def look_up(lab, broker, profile, name="www.test"):
    code = (
        "import socket, sys\n"
        "try: print(len(socket.getaddrinfo(sys.argv[1], 80, socket.AF_INET, socket.SOCK_STREAM)))\n"
        "except socket.gaierror as error: print(error.errno == socket.EAI_AGAIN and 'again' or error)"
    )
    return lab.px(broker, ["/usr/bin/python3", "-c", code, name], profile).stdout.strip()


def server(broker, profile):
    found = next(p for p in broker.ask("names")["profiles"] if p["profile"] == profile)
    return found["servers"][0]


def test_it_is_asked_by_tls_alone(lab, broker, dns, tls):
    assert lab.px(broker, ["getent", "ahostsv4", "www.test"], "good").stdout.startswith(CORPORATE)
    assert set(dns.left()) == {"vpn0"}
    # A connection is kept for the next ones, and large answers come whole.
    for name in ("a.test", "b.test", "c.test"):
        assert look_up(lab, broker, "good", name) == "1"
    assert tls.connections() == 1
    assert look_up(lab, broker, "good", "many.test") == "2000"
    assert look_up(lab, broker, "good", "nowhere.test") != "again"
    assert plain_packets(lab) == 0
    assert server(broker, "good")["server"] == f"tls://{NAME}@{VPN.gateway}"


def test_without_its_name_it_is_asked_nothing(lab, broker, dns):
    assert look_up(lab, broker, "wrong") == "again"
    assert server(broker, "wrong")["refused"]
    assert "could not prove its name" in broker.pxctl("names").stdout
    # There is a pause: nothing leaves.
    dns.forget()
    assert look_up(lab, broker, "wrong") == "again"
    assert dns.left() == {}
    assert dns.asked("vpn") == []
    assert plain_packets(lab) == 0
    # The same server by its own name is another matter.
    assert look_up(lab, broker, "good") == "1"


def test_without_an_authority_it_is_asked_nothing(lab, dns, tls):
    with lab.serving(POLICY) as broker:
        assert look_up(lab, broker, "good") == "again"
        assert server(broker, "good")["refused"]
        assert dns.asked("vpn") == []
        assert plain_packets(lab) == 0


def test_a_server_without_tls_is_asked_nothing(lab, broker, dns):
    assert look_up(lab, broker, "plain") == "again"
    assert not server(broker, "plain")["refused"]
    assert dns.asked("vpn") == []


def test_with_its_link_the_connection_goes(lab, broker, dns):
    assert look_up(lab, broker, "good", "a.test") == "1"
    lab.link_down("vpn")
    wait_until(lambda: not server(broker, "good")["usable"], "the broker has seen it")
    dns.forget()
    assert look_up(lab, broker, "good", "b.test") == "again"
    assert dns.left() == {}
    lab.restore("vpn")
    wait_until(lambda: server(broker, "good")["usable"], "the broker has seen it")
    assert look_up(lab, broker, "good", "c.test") == "1"
    assert plain_packets(lab) == 0


def test_a_server_that_is_silent_is_one_for_the_moment(lab, broker, tls):
    assert look_up(lab, broker, "good", "a.test") == "1"
    tls.process.send_signal(19)
    assert look_up(lab, broker, "good", "b.test") == "again"
    tls.process.send_signal(18)
    assert look_up(lab, broker, "good", "c.test") == "1"
