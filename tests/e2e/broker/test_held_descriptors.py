# SPDX-License-Identifier: MIT
"""Descriptors that hold up whoever touches them cost their own user alone."""

import pathlib
import signal
import socket
import struct
import subprocess
import time

import pytest

from support import wire
from support.clients.running_program import RunningProgram
from support.lab.three_uplinks import CORPORATE
from support.processes import processes_called, state
from support.unprivileged import module_for_all, other_user
from support.wait import wait_until

pytestmark = pytest.mark.broker

ATTEMPTS = 4
PROMPT = 5.0
HEARTBEAT_AT = 40  # plan/abi.h: px_file_header.heartbeat


@pytest.fixture
def attack(lab, broker):
    """Starts support.clients.held_descriptors as this user, and waits until all is sent. A broker
    that is stopped reads nothing until then."""
    started = []

    def start(how, count=ATTEMPTS, stopped=False):
        if stopped:
            broker.process.send_signal(signal.SIGSTOP)
            wait_until(lambda: state(broker.pid) == "T", "the broker is stopped")
        process = lab.client.popen(
            module_for_all("support.clients.held_descriptors", broker.socket, how, str(count)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        started.append(process)
        for _ in range(count):
            if process.stdout.readline() != "sent\n":
                why = process.stderr.read().strip()
                if "userfaultfd" in why:
                    pytest.skip(f"this test has to wait in a page: {why}")
                raise AssertionError(why)
        if stopped:
            broker.process.send_signal(signal.SIGCONT)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait(timeout=10)


def heartbeat(broker):
    plan = pathlib.Path(broker.socket).parent / "plan-v3" / "vpn-split.plan"
    with plan.open("rb") as file:
        file.seek(HEARTBEAT_AT)
        return struct.unpack("=Q", file.read(8))[0]


def others_notice_nothing(lab, broker):
    """Another user's program is welcomed, pxctl is answered and the heartbeat goes on."""
    words = module_for_all("support.clients.say_hello", broker.socket, "vpn-split")
    before = heartbeat(broker)
    for _ in range(3):
        hello = lab.client.run([*other_user(), *words])
        assert int(hello.stdout) == wire.WELCOME
        started = time.monotonic()
        broker.ask("status")
        assert time.monotonic() - started < PROMPT
    wait_until(lambda: heartbeat(broker) > before, "the heartbeat goes on")


@pytest.mark.parametrize("how", ["plain", "nested", "queued"])
def test_a_close_that_waits_holds_nobody_up(lab, broker, attack, how):
    # Everything is sent, and closed by the sender, before anyone else could close it.
    attack(how, stopped=True)
    others_notice_nothing(lab, broker)
    # Nor the user whose descriptors these are, for long.
    assert RunningProgram(lab, broker).connect(CORPORATE).source == "10.8.0.2"
    others_notice_nothing(lab, broker)


def test_a_locked_socket_holds_nobody_up(lab, broker, attack):
    """Not even SIGKILL ends a process that waits for such a socket."""
    attacker = attack("locked")
    others_notice_nothing(lab, broker)
    wait_until(
        lambda: "D" in [state(pid) for pid in processes_called("pxd-descriptors")],
        "one process is held up",
    )
    # What is held up keeps no other broker from starting.
    broker.kill()
    broker.start()
    others_notice_nothing(lab, broker)
    attacker.kill()
    attacker.wait(timeout=10)
    assert RunningProgram(lab, broker).connect(CORPORATE).source == "10.8.0.2"
    wait_until(
        lambda: "D" not in [state(pid) for pid in processes_called("pxd-descriptors")],
        "they all end",
    )


def test_a_socket_keeps_its_programs_linger(lab, broker):
    linger = struct.pack("ii", 1, 7)
    with wire.connect(broker.socket) as client, lab.client.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        client.send(wire.hello())
        for descriptor in socket.recv_fds(client, wire.LARGEST, 8)[1]:
            socket.close(descriptor)
        wire.send_with_descriptors(client, wire.mark(0), [sock.fileno()])
        assert struct.unpack_from("=IHHI", client.recv(wire.LARGEST))[1] == wire.MARKED
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, len(linger)) == linger
