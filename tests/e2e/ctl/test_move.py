# SPDX-License-Identifier: MIT
"""pxctl move: another profile for a running program, from its next connection on."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from support.clients.broker_session import BrokerSession
from support.clients.running_program import RunningProgram
from support.lab.broker import POLICY
from support.lab.three_uplinks import CORPORATE, PUBLIC, PUBLIC6
from support.programs import CLIENTS
from support.unprivileged import NOBODY, build_for_all, other_user
from support.wait import wait_until


def test_a_move_there_and_back(lab, broker, program):
    assert program.connect(CORPORATE).source == "10.8.0.2"
    for profile, source, interface in (
        ("lan-only", "192.168.1.2", "lan0"),
        ("vpn-split", "10.8.0.2", "vpn0"),
    ):
        moved = broker.ask("move", str(program.pid), profile)
        assert moved["ok"] and moved["profile"] == profile
        lab.flows.reset()
        for _ in range(5):
            assert program.connect(CORPORATE).source == source
        assert set(lab.flows.left(CORPORATE)) == {interface}
        line = broker.program(program.pid)
        assert (line["profile"], line["origin"]) == (profile, "moved")
    assert broker.program(program.pid)["routed"] == 11


@pytest.mark.parametrize("destination", [PUBLIC, PUBLIC6])
def test_out_of_and_into_a_profile_without_rules(lab, broker, destination):
    program = RunningProgram(lab, broker, "empty")
    assert program.connect(destination).source == lab.uplink("lan").source_for(destination)
    broker.pxctl("move", str(program.pid), "vpn-split")
    assert program.connect(destination).source == lab.uplink("lte").source_for(destination)
    broker.pxctl("move", str(program.pid), "empty")
    assert program.connect(destination).source == lab.uplink("lan").source_for(destination)


def test_a_program_that_has_not_connected_yet(lab, broker, program):
    program.connect("127.0.0.1", port=9)
    assert broker.program(program.pid)["state"] == "launched"
    broker.pxctl("move", str(program.pid), "lan-only")
    assert program.connect(CORPORATE).source == "192.168.1.2"


def test_others_under_the_same_profile_stay(lab, broker, program):
    other = RunningProgram(lab, broker)
    for each in (program, other):
        assert each.connect(CORPORATE).source == "10.8.0.2"
    broker.pxctl("move", str(program.pid), "lan-only")
    assert other.connect(CORPORATE).source == "10.8.0.2"
    assert program.connect(CORPORATE).source == "192.168.1.2"


def sockets_of(lab, path):
    """Also of connections that the broker has not accepted."""
    lines = lab.client.run(["cat", "/proc/net/unix"]).stdout.splitlines()
    return sum(line.endswith(f" {path}") for line in lines)


VPN, LAN = "10.8.0.2", "192.168.1.2"


@pytest.mark.parametrize(
    ("profile", "source", "target", "source_there"),
    [("vpn-split", VPN, "lan-only", LAN), ("empty", LAN, "vpn-split", VPN)],
)
def test_no_other_program_asks_the_broker(lab, broker, profile, source, target, source_there):
    """It stands still: a program that asked it would wait, and its connection stay."""
    moved, other = (RunningProgram(lab, broker, profile) for _ in range(2))
    for each in (moved, other):  # now it has said hello, also under a profile without rules
        assert each.connect(CORPORATE).source == source
        broker.pxctl("move", str(each.pid), target)
        assert each.connect(CORPORATE).source == source_there
        broker.pxctl("move", str(each.pid), profile)
        assert each.connect(CORPORATE).source == source
    broker.pxctl("move", str(moved.pid), target)
    broker.process.send_signal(signal.SIGSTOP)
    try:
        before = sockets_of(lab, broker.socket)
        assert before, "the broker's own"
        assert other.connect(CORPORATE).source == source
        assert sockets_of(lab, broker.socket) == before
    finally:
        broker.process.send_signal(signal.SIGCONT)
    wait_until(lambda: moved.connect(CORPORATE).source == source_there, "it has been moved")
    assert broker.program(other.pid)["profile"] == profile


def test_it_holds_over_a_restart_of_the_broker(broker, program):
    assert program.connect(CORPORATE).source == "10.8.0.2"
    broker.pxctl("move", str(program.pid), "lan-only")
    assert program.connect(CORPORATE).source == "192.168.1.2"
    broker.kill()
    broker.restart()
    assert program.connect(CORPORATE).source == "192.168.1.2"
    assert broker.program(program.pid)["profile"] == "lan-only"


def lines_of(process):
    """(when it began, the local address) of each connection."""
    for line in process.stdout:
        began, address = line.split()
        yield float(began), address


def test_every_thread_at_once(lab, broker):
    """A connect that begins after `move` has returned goes by the new profile."""
    argv = [sys.executable, "-I", CLIENTS / "connecting_threads.py", CORPORATE, "80", "8"]
    process = lab.px_popen(broker, argv, "vpn-split", stdout=subprocess.PIPE)
    connections = lines_of(process)
    now = "10.8.0.2"
    for _ in range(30):
        assert next(connections)[1] == now
    for turn in range(6):
        profile, now = [("lan-only", "192.168.1.2"), ("vpn-split", "10.8.0.2")][turn % 2]
        broker.pxctl("move", str(process.pid), profile)
        moved = time.monotonic()
        after = 0
        while after < 40:
            began, address = next(connections)
            if began > moved:
                assert address == now
                after += 1
    process.kill()


def test_children_afterwards(lab, broker):
    argv = [sys.executable, "-I", CLIENTS / "forking_client.py", CORPORATE, "80"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    process = lab.px_popen(broker, argv, "vpn-split", **pipes)

    def order(how):
        process.stdin.write(how + "\n")
        process.stdin.flush()
        return process.stdout.readline().strip()

    for how in ("itself", "fork", "exec"):
        assert order(how) == "10.8.0.2"
    broker.pxctl("move", str(process.pid), "lan-only")
    # Children first: their parent has not noticed the move yet.
    for how in ("fork", "exec", "itself", "fork", "exec"):
        assert order(how) == "192.168.1.2"


def refused(done, text):
    assert done.returncode == 1
    assert text in done.stderr


def test_what_cannot_be_moved(lab, broker, program):
    pid = str(program.pid)
    assert program.connect(CORPORATE).source == "10.8.0.2"
    refused(broker.pxctl("move", pid, "wrok", check=False), "no profile named 'wrok'")
    refused(broker.pxctl("move", "1", "empty", check=False), "no program of yours")
    assert broker.pxctl("move", "no-pid", "empty", check=False).returncode == 2
    assert broker.pxctl("move", pid, check=False).returncode == 2
    assert json.loads(broker.pxctl("move", "--json", "1", "empty", check=False).stdout)["error"]
    words = [*other_user(), build_for_all() / "cli/pxctl", "move", pid, "lan-only"]
    refused(lab.client.run(words, check=False, env=broker.environment()), "no program of yours")
    assert program.connect(CORPORATE).source == "10.8.0.2"


def test_the_owner_may(lab, broker):
    own = [*other_user(), build_for_all() / "cli/px-exec", "--profile", "vpn-split"]
    client = RunningProgram.behind(lab, broker, own)
    assert client.connect(CORPORATE).source == "10.8.0.2"
    words = [*other_user(), build_for_all() / "cli/pxctl", "move", str(client.pid), "lan-only"]
    lab.client.run(words, env=broker.environment())
    assert client.connect(CORPORATE).source == "192.168.1.2"


def test_a_daemon_that_was_another_user_for_a_while_is_not_that_users(lab, broker):
    """It connects under another effective user id, and is root again."""
    if os.getuid() != 0:
        pytest.skip("needs root: no other user")
    words = [*other_user(), build_for_all() / "cli/pxctl"]
    move = [*words, "move", str(os.getpid()), "lan-only"]
    os.seteuid(NOBODY)
    try:
        session = BrokerSession(broker, "vpn-split")
    finally:
        os.seteuid(0)
    with session.connection:
        refused(
            lab.client.run(move, check=False, env=broker.environment()), "no program of yours"
        )
        listed = lab.client.run([*words, "ps", "--json"], env=broker.environment()).stdout
        assert not json.loads(listed)["programs"]
        assert broker.program(os.getpid())["user"] == "root"
        assert broker.ask("move", str(os.getpid()), "lan-only")["ok"]


def test_a_profile_that_is_removed_afterwards_fails_closed(broker, program):
    assert program.connect(CORPORATE).source == "10.8.0.2"
    broker.pxctl("move", str(program.pid), "lan-only")
    assert program.connect(CORPORATE).source == "192.168.1.2"
    assert broker.reload(POLICY.replace("lan-only", "other-name")).returncode == 0
    assert program.connect(CORPORATE).error == "ENETUNREACH"
