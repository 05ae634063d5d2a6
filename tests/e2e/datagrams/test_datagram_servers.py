# SPDX-License-Identifier: MIT
"""Datagram servers bound to no address: the source of their answers, bare and under px (PX-5)."""

import subprocess
import sys

import pytest

from support.lab.three_uplinks import PUBLIC, PUBLIC6
from support.programs import PX_EXEC
from support.servers.datagram_server import CALLED, PORT, Server, answers, call

POLICY = """version: 1
paths:
  lan: { interface: lan0 }
  vpn: { interface: vpn0 }
profiles:
  elsewhere:
    rules:
      - { to: [198.18.0.0/15, "fd99::/16"], via: vpn }
  vpn:
    rules:
      - { to: any, via: vpn }
  empty: {}
"""
HOWS = ["recvfrom", "recvmsg", "recvmmsg"]


@pytest.fixture
def servers(lab):
    with lab.serving(POLICY) as broker:
        yield broker


@pytest.mark.routes
@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize(
    "family, source", [("4", PUBLIC), ("6", PUBLIC6), ("both", PUBLIC), ("both", PUBLIC6)]
)
def test_the_answer_comes_from_the_address_that_was_called(lab, servers, how, family, source):
    bare, bare_output = answers(lab, [how, family], source)
    default = CALLED[source][0]
    assert bare == dict.fromkeys(CALLED[source], default), "bare, it is the default uplink's"
    px, px_output = answers(lab, [how, family], source, servers, "elsewhere")
    assert px == {called: called for called in CALLED[source]}
    assert px_output == bare_output, "the program sees nothing of it"


@pytest.mark.routes
@pytest.mark.parametrize("source", [PUBLIC, PUBLIC6])
def test_a_rule_chooses_the_interface_of_the_answer(lab, servers, source):
    family = "6" if ":" in source else "4"
    lab.flows.reset()
    px, _ = answers(lab, ["recvfrom", family], source, servers, "vpn")
    assert px[lab.uplink("vpn").source_for(source)] == lab.uplink("vpn").source_for(source)
    assert set(lab.flows.per_interface("sent", source, protocol="udp")) == {"vpn0"}


@pytest.mark.parametrize("room", [[], ["ask"], ["no-room"], ["little-room"]])
@pytest.mark.parametrize("how", ["recvmsg", "recvmmsg"])
@pytest.mark.parametrize("family, source", [("4", PUBLIC), ("both", PUBLIC), ("6", PUBLIC6)])
def test_control_data_is_as_bare(lab, servers, how, family, source, room):
    _, bare = answers(lab, [how, family, *room], source)
    for profile in ("empty", "elsewhere", "vpn"):
        _, px = answers(lab, [how, family, *room], source, servers, profile)
        assert px == bare, profile


def test_an_inherited_server_socket(lab, servers):
    """A socket that was bound before the program was started under px."""
    script = (
        "import os, socket, sys\n"
        "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
        f"s.bind(('0.0.0.0', {PORT}))\n"
        "os.dup2(s.fileno(), 0)\n"
        "os.execvp(sys.argv[1], sys.argv[1:])\n"
    )
    serve = (
        "import socket\n"
        "s = socket.socket(fileno=0)\n"
        "print('ready', flush=True)\n"
        "for _ in range(3):\n"
        "    data, peer = s.recvfrom(100)\n"
        "    s.sendto(data, peer)\n"
    )
    words = [PX_EXEC, "--profile", "elsewhere", "--", sys.executable, "-I", "-c", serve]
    server = lab.client.popen(
        [sys.executable, "-I", "-c", script, *words],
        env=servers.environment(),
        stdout=subprocess.PIPE,
    )
    assert server.stdout.readline() == "ready\n"
    assert call(lab, PUBLIC, CALLED[PUBLIC]) == {called: called for called in CALLED[PUBLIC]}
    server.communicate(timeout=10)


def test_the_bare_servers_peer_that_listens_to_one_address_hears_nothing(lab, servers):
    """The harm of it: a connected peer takes no answer from another address."""
    ask = (
        "import socket, sys\n"
        "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
        f"s.bind(('{PUBLIC}', 0)); s.connect((sys.argv[1], {PORT})); s.settimeout(1)\n"
        "s.send(b'x')\n"
        "try:\n"
        "    print(s.recv(10))\n"
        "except OSError as error:\n"
        "    print(type(error).__name__)\n"
    )
    heard = []
    for broker in (None, servers):
        server = Server(lab, ["recvfrom", "4"], 1, broker, "elsewhere")
        heard.append(lab.server.run([sys.executable, "-I", "-c", ask, "10.8.0.2"]).stdout.strip())
        server.output()
    assert heard == ["TimeoutError", "b'x'"]
