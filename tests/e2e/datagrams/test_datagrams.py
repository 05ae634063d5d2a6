# SPDX-License-Identifier: MIT
"""Datagrams of sockets that talk to many peers: each by its rule's uplink (PX-4)."""

import signal
import subprocess

import pytest

from support.lab.three_uplinks import CORPORATE, CORPORATE6, PUBLIC, PUBLIC6
from support.programs import program_file
from support.wait import wait_until

PORT = 7777
POLICY = """version: 1
paths:
  lan: { interface: lan0 }
  lte: { interface: lte0 }
  vpn: { interface: vpn0 }
profiles:
  split:
    if-unavailable: block
    rules:
      - { to: 10.20.9.0/24, action: block }
      - { to: [10.20.0.0/16, "fd20::/16"], via: vpn }
      - { to: any, via: lte }
  empty: {}
"""
HOWS = ["sendto", "sendmsg", "sendmmsg"]


@pytest.fixture
def split(lab):
    with lab.serving(POLICY) as broker:
        yield broker


def datagrams(*words):
    return [program_file("datagrams"), *map(str, words)]


def send(lab, broker, *words, profile="split", **options):
    return lab.px(broker, datagrams(*words), profile, timeout=120, **options).stdout


def udp(lab, network):
    return lab.flows.per_interface("sent", network, protocol="udp")


def sources(lab, destination):
    sent = (flow for flow in lab.flows.flows() if flow.kind == "sent")
    return {flow.source for flow in sent if flow.destination == destination}


@pytest.mark.routes
@pytest.mark.parametrize("how", HOWS)
def test_fifty_peers_over_two_interfaces(lab, split, how):
    """Every one of 100,000 datagrams of one socket leaves by its rule's interface."""
    peers = [f"10.20.1.{n}" for n in range(1, 26)] + [f"203.0.113.{n}" for n in range(1, 26)]
    rounds = 2000 if how == "sendto" else 200
    assert send(lab, split, how, rounds, PORT, *peers) == f"sent: {50 * rounds}\n"
    assert udp(lab, "10.20.1.0/24") == {"vpn0": 25 * rounds}
    assert udp(lab, "203.0.113.0/24") == {"lte0": 25 * rounds}
    assert sources(lab, "10.20.1.7") == {"10.8.0.2"}
    assert sources(lab, "203.0.113.7") == {"100.64.2.2"}


@pytest.mark.routes
@pytest.mark.parametrize("how", HOWS)
def test_ipv6(lab, split, how):
    send(lab, split, how, 10, PORT, CORPORATE6, PUBLIC6)
    assert udp(lab, CORPORATE6) == {"vpn0": 10}
    assert udp(lab, PUBLIC6) == {"lte0": 10}
    assert sources(lab, CORPORATE6) == {"fd08::2"}
    assert sources(lab, PUBLIC6) == {"2001:db8:2::2"}


@pytest.mark.routes
@pytest.mark.parametrize("how", ["mapped", "inherited", "received"])
def test_however_the_socket_came_to_be(lab, split, how):
    send(lab, split, how, 10, PORT, CORPORATE, PUBLIC)
    assert udp(lab, CORPORATE) == {"vpn0": 10}
    assert udp(lab, PUBLIC) == {"lte0": 10}
    assert sources(lab, CORPORATE) == {"10.8.0.2"}


@pytest.mark.routes
def test_the_programs_own_control_data_is_respected(lab, split):
    assert send(lab, split, "own", "192.168.1.2", 3, PORT, CORPORATE) == "sent: 3\n"
    assert udp(lab, CORPORATE) == {"lan0": 3}, "as without px"


def test_the_programs_other_control_data_is_kept(lab, split):
    lab.client.run(["nft", "-f", "-"], input="""table ip px_test {
      counter hops { }
      chain sent {
        type filter hook postrouting priority 0;
        ip ttl 77 udp dport 7777 oifname "vpn0" counter name hops
      }
    }""")
    assert send(lab, split, "own", "none", 3, PORT, CORPORATE) == "sent: 3\n"
    assert udp(lab, CORPORATE) == {"vpn0": 3}
    assert "packets 3" in lab.client.run(["nft", "list", "counters"]).stdout


@pytest.mark.routes
@pytest.mark.parametrize("how", HOWS)
def test_refused_and_unavailable(lab, split, how):
    lab.link_down("lte")
    peers = ("10.20.9.1", CORPORATE, PUBLIC)
    output = send(lab, split, how, 1, PORT, *peers).splitlines()
    names = ("sendmmsg", "sendmmsg") if how == "sendmmsg" else ("10.20.9.1", PUBLIC)
    assert output == [f"{names[0]}: EACCES", f"{names[1]}: ENETUNREACH", "sent: 1"]
    assert udp(lab, CORPORATE) == {"vpn0": 1}
    assert not udp(lab, "10.20.9.0/24")
    assert not udp(lab, PUBLIC)


@pytest.mark.routes
@pytest.mark.parametrize("how", HOWS)
def test_bare_and_without_rules_nothing_changes(lab, split, how):
    words = (how, 5, PORT, CORPORATE, PUBLIC)
    bare = lab.client.run(datagrams(*words)).stdout
    assert send(lab, split, *words, profile="empty") == bare
    assert udp(lab, CORPORATE) == udp(lab, PUBLIC) == {"lan0": 10}


def make_again(lab, name):
    """Makes the uplink's deleted device again, under another index."""
    uplink, router = lab.uplink(name), lab.routers[name]
    router.ip(
        f"link add client type veth peer name {uplink.interface} netns client",
        f"address add {uplink.gateway}/24 dev client",
        f"address add {uplink.gateway6}/64 dev client nodad",
        "link set client up",
    )
    lab.restore(name)


def wait_for(broker, destination, action):
    words = ("explain", "program", destination, str(PORT), "--profile", "split")
    wait_until(lambda: broker.ask(*words)["action"] == action, f"{destination}: {action}")


class Steps:
    """A connected datagram socket that sends when it is told to."""

    def __init__(self, lab, broker, how, destination):
        argv = [program_file("datagram_steps"), how, destination, PORT]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.program = lab.px_popen(broker, argv, "split", **pipes)
        assert self.program.stdout.readline().strip() != ""

    def __call__(self):
        self.program.stdin.write("\n")
        self.program.stdin.flush()
        return self.program.stdout.readline().strip()

    def end(self):
        self.program.stdin.close()
        self.program.wait(timeout=10)


@pytest.mark.routes
@pytest.mark.parametrize("destination", [CORPORATE, CORPORATE6])
@pytest.mark.parametrize("how", ["send", *HOWS])
def test_a_device_that_is_deleted_and_made_again(lab, split, how, destination):
    step = Steps(lab, split, how, destination)
    assert step() == "send: ok"
    assert udp(lab, destination) == {"vpn0": 1}
    lab.client.ip("link delete vpn0")
    assert step() in ("send: ENODEV", "send: ENETUNREACH"), "and by no other device"
    wait_for(split, destination, "fail")
    make_again(lab, "vpn")
    wait_for(split, destination, "via")
    assert step() == "send: ok"
    assert udp(lab, destination) == {"vpn0": 2}
    step.end()


@pytest.mark.parametrize("destination", [CORPORATE, CORPORATE6])
def test_a_send_before_the_broker_knows_that_the_device_is_gone(lab, split, destination):
    """The socket keeps its peer: what the plan still names cannot be taken."""
    step = Steps(lab, split, "send", destination)
    assert step() == "send: ok"
    split.process.send_signal(signal.SIGSTOP)
    lab.client.ip("link delete vpn0")
    gone = ("send: ENODEV", "send: ENETUNREACH")
    assert step() in gone
    assert step() in gone
    make_again(lab, "vpn")
    split.process.send_signal(signal.SIGCONT)
    said = []
    wait_until(lambda: said.append(step()) or said[-1] not in gone, "the socket leaves again")
    assert said[-1] == "send: ok"
    assert udp(lab, destination) == {"vpn0": 2}
    step.end()


@pytest.mark.routes
def test_an_ipv6_source_that_the_kernel_would_not_choose(lab):
    """The source is set only where the routing table leads out of the right interface."""
    lab.client.ip("address add fd08::1:9/64 dev vpn0 nodad preferred_lft 0")
    broker = lab.start_broker("""version: 1
paths:
  other: { interface: vpn0, source: "fd08::1:9" }
profiles:
  other:
    rules: [ { to: any, via: other } ]
""")
    words = ("sendto", 3, PORT, CORPORATE6)
    assert "ENETUNREACH" in send(lab, broker, *words, profile="other")
    assert udp(lab, CORPORATE6) == {}
    lab.client.ip(f"route add {CORPORATE6}/128 via fd08::1 dev vpn0")
    assert send(lab, broker, *words, profile="other") == "sent: 3\n"
    assert udp(lab, CORPORATE6) == {"vpn0": 3}
    assert sources(lab, CORPORATE6) == {"fd08::1:9"}
    assert broker.stop() == 0, broker.log_text
