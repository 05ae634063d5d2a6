# SPDX-License-Identifier: MIT
"""`action: system`: these networks as the host routes them, by all its routes; all else by a path."""

import sys

import pytest

from support.clients.bundle_connect import command, results
from support.clients.running_program import RunningProgram
from support.lab.host_kinds import OWN_TABLES, SOURCE_RULES
from support.lab.member_faults import MemberFaults
from support.lab.three_uplinks import CORPORATE, CORPORATE6, PUBLIC, PUBLIC6, PUBLIC_OTHER
from support.programs import program_file
from support.servers.datagram_server import CALLED, Server, call
from support.urls import url
from support.wait import wait_until

pytestmark = pytest.mark.broker

POLICY = """version: 1
paths:
  vpn: { interface: vpn0 }
profiles:
  split:
    rules:
      - { to: ["10.20.0.0/16", "fd20::/16"], action: system }
      - { to: %s, proto: udp, action: system }
      - { to: any, via: vpn }
    %s
""" % (PUBLIC_OTHER, "{more}")

HEAR = """
import socket, sys
peer = socket.create_connection((sys.argv[1], 5005), 10, (sys.argv[2], 0))
print(peer.recv(9).decode())
"""


def policy(more=""):
    return POLICY.replace("{more}", more)


@pytest.fixture
def split(lab):
    """The host has another route to the corporate networks than its default: neither lan0, where
    `via: lan` would send them, nor vpn0."""
    lte = lab.uplink("lte")
    lab.client.ip(
        f"route add 10.20.0.0/16 via {lte.gateway} dev lte0",
        f"route add fd20::/16 via {lte.gateway6} dev lte0",
    )
    with lab.serving(policy()) as broker:
        yield broker


AS_ROUTED = [(CORPORATE, "lte"), (CORPORATE6, "lte")]
BY_RULE = [(PUBLIC, "vpn"), (PUBLIC6, "vpn")]


@pytest.mark.routes
@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize("blocking", [True, False], ids=["blocking", "non-blocking"])
def test_each_kind_of_socket(lab, split, transport, blocking):
    program = RunningProgram(lab, split, "split")
    for destination, name in BY_RULE + AS_ROUTED:
        connection = program.connect(destination, transport=transport, blocking=blocking)
        uplink = lab.uplink(name)
        assert connection.source == connection.local == uplink.source_for(destination)
        assert set(lab.flows.left(destination)) == {uplink.interface}
    line = split.program(program.pid)
    assert (line["system"], line["routed"]) == (len(AS_ROUTED), len(BY_RULE))


@pytest.mark.routes
def test_by_protocol(lab, split):
    program = RunningProgram(lab, split, "split")
    assert program.connect(PUBLIC_OTHER, transport="udp").source == lab.uplink("lan").source
    assert program.connect(PUBLIC_OTHER).source == lab.uplink("vpn").source


@pytest.mark.routes
@pytest.mark.parametrize("how", ["sendto", "sendmsg", "sendmmsg"])
def test_datagrams_of_one_socket(lab, split, how):
    """Each by its own rule, whatever the socket has sent before."""
    peers = ["10.20.1.1", "203.0.113.1", "10.20.1.2", "203.0.113.2"]
    argv = [program_file("datagrams"), how, "50", "7777", *peers]
    assert lab.px(split, argv, "split").stdout == "sent: 200\n"
    assert lab.flows.per_interface("sent", "10.20.1.0/24", protocol="udp") == {"lte0": 100}
    assert lab.flows.per_interface("sent", "203.0.113.0/24", protocol="udp") == {"vpn0": 100}


@pytest.mark.routes
def test_the_host_changes_its_route(lab, split):
    """It is the kernel's own lookup, at every connect."""
    program = RunningProgram(lab, split, "split")
    assert program.connect(CORPORATE).source == lab.uplink("lte").source
    lab.client.ip("route delete 10.20.0.0/16")
    assert program.connect(CORPORATE).source == lab.uplink("lan").source


def answered(lab, broker, source, heard):
    """Calls a datagram server at each address of the host: the interfaces that answers leave by."""
    called = CALLED[PUBLIC]
    server = Server(lab, ["recvfrom", "4"], len(called), broker, "split")
    lab.flows.reset()
    assert call(lab, source, called) == {each: each if each in heard else "none" for each in called}
    server.output()
    return set(lab.flows.per_interface("sent", source, protocol="udp"))


@pytest.mark.routes
def test_answers_of_a_datagram_server_as_the_host_routes_them(lab, split, host_kind):
    """From the address that was called: by its own table, where it has one."""
    by_source = host_kind in (SOURCE_RULES, OWN_TABLES)
    interfaces = {"lan0", "lte0", "vpn0"} if by_source else {"lte0"}
    assert answered(lab, split, CORPORATE, CALLED[PUBLIC]) == interfaces


@pytest.mark.routes
def test_answers_of_a_datagram_server_by_the_rules_uplink(lab, split, host_kind):
    """From the address that was called. Where the uplink's routes are for its own source alone,
    there is no way for the others, and nothing leaves elsewhere."""
    own = [lab.uplink("vpn").source]
    heard = own if host_kind == OWN_TABLES else CALLED[PUBLIC]
    assert answered(lab, split, PUBLIC, heard) == {"vpn0"}


@pytest.mark.routes
def test_a_tcp_server_answers_by_the_interface_of_the_call(lab, split):
    """`listen` is about calls that come in: rules do not change it."""
    assert split.reload(policy("listen: received-interface")).returncode == 0
    listen = "import socket; s = socket.create_server(('', 5005)); s.accept()[0].sendall(b'hello')"
    lab.px_popen(split, [sys.executable, "-c", listen], "split")
    lab.client.listens(5005)
    vpn = lab.uplink("vpn")
    lab.flows.reset()
    heard = lab.server.run([sys.executable, "-c", HEAR, vpn.source, CORPORATE])
    assert heard.stdout == "hello\n"
    assert set(lab.flows.per_interface("sent", CORPORATE, protocol="tcp")) == {"vpn0"}


@pytest.mark.routes
def test_members_of_a_bundle(lab, split):
    """Each member as its rule says: the first one that answers is the host's, then the path's."""
    faults = MemberFaults(lab.server)
    for silent, peer, name in ((PUBLIC, CORPORATE, "lte"), (CORPORATE, PUBLIC, "vpn")):
        faults.silence(silent)
        state = results(lab.px(split, command(CORPORATE, PUBLIC), "split"))
        assert (state["result"], state["peer"]) == ("ok", peer)
        assert state["answer"].split()[0] == lab.uplink(name).source
        faults.reset()


def test_explain_says_so(lab, split):
    verdict = split.ask("explain", "curl", CORPORATE, "443", "--profile", "split")
    assert (verdict["action"], verdict["reason"]) == ("system", "rule")
    assert (verdict["rule"]["index"], verdict["entry"], verdict["candidates"]) == (0, None, [])
    assert verdict["rule"]["line"] == 7
    text = split.pxctl("explain", "curl", CORPORATE, "443", "--profile", "split").stdout
    assert f"{CORPORATE} port 443 tcp: goes as the host routes it." in text
    assert "rule 1 (to 10.20.0.0/16, fd20::/16;" in text and "decides" in text


def test_in_a_rules_file(lab):
    rules = lab.directory / "rules.yaml"
    rules.write_text(
        f"rules:\n  - {{ to: {CORPORATE}, action: system }}\n  - {{ to: any, via: vpn0 }}\n"
    )
    for destination, name in ((CORPORATE, "lan"), (PUBLIC, "vpn")):
        done = lab.px(None, ["curl", "-sS", url(destination)], None, ["--rules", rules])
        assert done.stdout.split()[0] == lab.uplink(name).source


@pytest.mark.parametrize("on_loss, error", [("block", "ENETUNREACH"), ("last-known", None)])
def test_without_the_broker(lab, on_loss, error):
    """It is a rule's decision, which `on-loss: block` fails like all others."""
    broker = lab.start_broker(policy() + f"broker: {{ on-loss: {on_loss} }}\n")
    program = RunningProgram(lab, broker, "split")
    for destination in (PUBLIC, CORPORATE):
        assert program.connect(destination).error is None
    broker.kill()
    wait_until(lambda: program.connect(CORPORATE).error == error, "the loss is noticed", 15)
    assert program.connect(PUBLIC).error == error
