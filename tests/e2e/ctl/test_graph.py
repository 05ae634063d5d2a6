# SPDX-License-Identifier: MIT
"""pxctl graph: which program is connected to what now, and by which interface."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import xml.etree.ElementTree

import pytest

from support.lab.three_uplinks import CORPORATE, CORPORATE6, PUBLIC, UPLINKS
from support.programs import PXCTL
from support.unprivileged import build_for_all, other_user
from support.wait import wait_until

PORT = 7001
LTE, VPN = UPLINKS[1], UPLINKS[2]
CLIENT = """
import socket, sys
kept = []
for peer in sys.argv[1:]:
    transport, address = peer.split("/")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
    protocol = 262 if transport == "mptcp" else 0
    kept.append(socket.socket(family, kind, protocol))
    kept[-1].connect((address, %d))
print("connected", flush=True)
sys.stdin.read()
""" % PORT


@pytest.fixture
def server(lab):
    """Takes connections over TCP and MPTCP, at all addresses."""
    with lab.server.inside():
        listener = socket.socket(socket.AF_INET6, socket.SOCK_STREAM, 262)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("::", PORT))
        listener.listen(16)
    with listener:
        yield


@contextlib.contextmanager
def connected(lab, broker, *peers, profile="vpn-split"):
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    words = [sys.executable, "-I", "-c", CLIENT, *peers]
    process = lab.px_popen(broker, words, profile, **pipes)
    assert process.stdout.readline() == "connected\n"
    yield process
    process.stdin.close()
    assert process.wait(timeout=10) == 0


def told(broker, *words):
    """By pid, without the ports that the kernel chose."""
    return {
        program["pid"]: sorted(
            [c["transport"], c["destination"], c["interface"], c["source"], c["state"]]
            for c in program["connections"]
        )
        for program in broker.ask("graph", *words)["programs"]
    }


def test_what_programs_are_connected_to(lab, broker, server):
    with (
        connected(lab, broker, f"tcp/{CORPORATE}", f"udp/{PUBLIC}", f"tcp/{CORPORATE6}") as first,
        connected(lab, broker, f"mptcp/{PUBLIC}", profile="lan-only") as second,
    ):
        lan = UPLINKS[0]
        expected = {
            first.pid: sorted(
                [
                    ["tcp", CORPORATE, "vpn0", VPN.source, "connected"],
                    ["udp", PUBLIC, "lte0", LTE.source, "connected"],
                    ["tcp", CORPORATE6, "vpn0", VPN.source6, "connected"],
                ]
            ),
            second.pid: [["mptcp", PUBLIC, "lan0", lan.source, "connected"]],
        }
        assert told(broker) == expected
        assert told(broker, str(second.pid)) == {second.pid: expected[second.pid]}
        assert told(broker, "vpn-split") == {first.pid: expected[first.pid]}
        lines = [line.split() for line in broker.pxctl("graph", "lan-only").stdout.splitlines()]
        name = os.path.basename(os.path.realpath(sys.executable))
        row = ["lan-only", str(second.pid), name, "lan0", lan.source, "connected"]
        assert lines[1] == [*row, "mptcp", str(PORT), PUBLIC]
    wait_until(lambda: told(broker) == {}, "both have ended")
    assert broker.pxctl("graph").stdout == "No program under px is connected to anything.\n"


def test_pictures(lab, broker, server):
    with connected(lab, broker, f"tcp/{CORPORATE}", f"tcp/{CORPORATE}") as program:
        dot = broker.pxctl("graph", "--dot").stdout
        # By graphviz itself: name, label and the ends of edges.
        plain = lab.client.run(["dot", "-Tplain"], input=dot).stdout
        edges = [line.split()[1:3] for line in plain.splitlines() if line.startswith("edge")]
        assert edges == [[f"p{program.pid}", "w1"], ["w1", "d1"]]
        assert f'label="{CORPORATE}:{PORT} tcp"' in dot
        picture = xml.etree.ElementTree.fromstring(broker.pxctl("graph", "--svg").stdout)
        texts = {text.text for text in picture.iter("{http://www.w3.org/2000/svg}text")}
        assert {"vpn-split", "vpn0", f"pid {program.pid}", "2"} <= texts


def test_without_graphviz(lab, broker, server, tmp_path):
    with connected(lab, broker, f"tcp/{CORPORATE}"):
        reply = lab.client.run(
            ["env", f"PATH={tmp_path}", PXCTL, "graph", "--svg"],
            env=broker.environment(),
            check=False,
        )
        assert reply.returncode == 1
        assert "install graphviz, or use --dot" in reply.stderr


def test_names_that_would_break_the_picture(lab, broker, server, tmp_path):
    copy = tmp_path / 'c"d\\e'
    copy.write_bytes(open(os.path.realpath(sys.executable), "rb").read())
    copy.chmod(0o755)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    words = [copy, "-I", "-c", CLIENT, f"tcp/{CORPORATE}"]
    process = lab.px_popen(broker, words, "vpn-split", **pipes)
    assert process.stdout.readline() == "connected\n"
    dot = broker.pxctl("graph", "--dot").stdout
    plain = lab.client.run(["dot", "-Tplain"], input=dot).stdout
    assert f"p{process.pid}" in plain
    svg = broker.pxctl("graph", "--svg").stdout
    assert 'c"d\\e' in "".join(xml.etree.ElementTree.fromstring(svg).itertext())


def test_what_is_not_there(broker):
    reply = broker.pxctl("--json", "graph", "nobody", check=False)
    assert reply.returncode == 1
    assert json.loads(reply.stdout) == {
        "error": "no program under px has the pid or profile nobody; see pxctl ps"
    }


def test_another_user_sees_his_own_programs_alone(lab, broker, server):
    with connected(lab, broker, f"tcp/{CORPORATE}"):
        pxctl = build_for_all() / "cli/pxctl"
        reply = lab.client.run([*other_user(), pxctl, "--json", "graph"], env=broker.environment())
        assert json.loads(reply.stdout) == {"programs": []}
