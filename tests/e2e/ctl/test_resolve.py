# SPDX-License-Identifier: MIT
"""pxctl resolve: a name as a program under the profile has it, and who was asked."""

import json
import signal
import subprocess
import sys

import pytest

from support.lab.three_uplinks import CORPORATE, UPLINKS
from support.servers.uplink_name_servers import name_servers

VPN = UPLINKS[2]
POLICY = f"""version: 1
paths:
  vpn: {{ interface: vpn0 }}
profiles:
  work:
    dns:
      - names: ["*.test", corp]
        via: vpn
        servers: ["{VPN.gateway}:5300", "{VPN.gateway}"]
        search: [corp.test]
        options: {{ timeout: 1s, attempts: 1 }}
  play:
    rules: []
"""
HOSTS = {"lan": "", "lte": "", "vpn": f"{CORPORATE} www.corp.test\n"}


@pytest.fixture
def broker(lab):
    with name_servers(lab, HOSTS, ["--local-ttl=600"]), lab.serving(POLICY) as broker:
        yield broker


def resolve(broker, name, status=0):
    done = broker.pxctl("resolve", name, "--profile", "work", "--json", check=False)
    assert done.returncode == status, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def deaf(lab):
    """A server that takes questions and says nothing."""
    code = """import socket
listener = socket.socket(type=socket.SOCK_DGRAM)
listener.bind(("", 5300))
print("bound", flush=True)
while listener.recv(1024):
    pass
"""
    server = lab.routers["vpn"].popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert server.stdout.readline() == "bound\n"


def test_who_was_asked_and_what_came_back(broker):
    first = resolve(broker, "www")
    assert first["outcome"] == "answered"
    refuses, asked = first["asked"]
    assert refuses["server"] == f"{VPN.gateway}:5300"
    assert refuses["end"] in ("failed", "overtaken")
    assert (asked["server"], asked["interface"], asked["source"]) == (
        VPN.gateway,
        "vpn0",
        VPN.source,
    )
    assert (asked["name"], asked["end"], asked["rcode"]) == ("www.corp.test", "answered", 0)
    (record,) = first["records"]
    assert (record["name"], record["type"], record["data"]) == ("www.corp.test", "A", CORPORATE)
    assert (record["ttl"], record["cached"]) == (600, False)
    again = resolve(broker, "www")
    assert [record["cached"] for record in again["records"]] == [True]
    text = broker.pxctl("resolve", "WWW.corp.test", "--profile", "work").stdout
    assert "WWW.corp.test under work: answered (" in text
    assert ["A", "600", CORPORATE, "the", "cache"] in [row.split()[1:] for row in text.splitlines()]


def test_no_such_name(broker):
    report = resolve(broker, "other.test", status=1)
    assert report["outcome"] == "no-such-name"
    assert report["records"] == []
    text = broker.pxctl("resolve", "other.test", "--profile", "work", check=False).stdout
    assert "there is no such name" in text


@pytest.mark.usefixtures("deaf")
def test_a_silent_server_and_the_next_one(lab, broker):
    first, second = f"{VPN.gateway}:5300", VPN.gateway
    report = resolve(broker, "www.corp.test.")
    assert [(asked["server"], asked["end"]) for asked in report["asked"]] == [
        (first, "overtaken"),
        (second, "answered"),
    ]
    assert [record["data"] for record in report["records"]] == [CORPORATE]
    server = next(p for p in lab.routers["vpn"].processes if "dnsmasq" in map(str, p.args))
    server.send_signal(signal.SIGSTOP)
    report = resolve(broker, "www2.corp.test.", status=1)
    server.send_signal(signal.SIGCONT)
    assert report["outcome"] == "try-again"
    assert {(asked["server"], asked["end"]) for asked in report["asked"]} == {
        (first, "silent"),
        (second, "silent"),
    }


def test_a_name_of_the_hosts(broker):
    report = resolve(broker, "www.example.org", status=1)
    assert (report["outcome"], report["asked"]) == ("of-host", [])


@pytest.mark.parametrize(
    "name, profile, why",
    [
        ("www.test", "play", "has no dns"),
        ("www.test", "nosuch", "there is no profile 'nosuch'"),
        ("a..b", "work", "no name that DNS can have"),
    ],
)
def test_what_cannot_be_asked_is_said(broker, name, profile, why):
    done = broker.pxctl("resolve", name, "--profile", profile, check=False)
    assert done.returncode == 1
    assert why in done.stderr
