# SPDX-License-Identifier: MIT
"""What one user asks of the broker delays no other user's programs."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time

import pytest

from support import wire
from support.clients.running_program import RunningProgram
from support.lab import broker as lab_broker
from support.lab.broker import POLICY, Broker
from support.lab.three_uplinks import CORPORATE, PUBLIC
from support.unprivileged import NOBODY, build_for_all, module_for_all, other_user
from support.wait import wait_until

pytestmark = pytest.mark.broker

# On a machine that is busy with other things, too.
SLOWEST_HELLO = 0.5
SLOWEST_BESIDE_MEMBERS = 0.25  # what it took when all were called in one turn
SPAN = 2.0  # seconds
SPANS = 3
MANY_MEMBERS = POLICY + """
  many:
    bundle: { transports: [mptcp, tcp], sockets: all }
    rules:
      - { to: any, via: lte }
"""


def hello(broker):
    """The seconds that a hello takes."""
    started = time.monotonic()
    with wire.connect(broker.socket) as sock:
        sock.send(wire.hello())
        data, descriptors, _, _ = socket.recv_fds(sock, 4096, 8)
    took = time.monotonic() - started
    assert data[4:6] == wire.WELCOME.to_bytes(2, "little")
    for descriptor in descriptors:
        os.close(descriptor)
    return took


def slowest_of_a_span(broker):
    end = time.monotonic() + SPAN
    slowest = 0
    while time.monotonic() < end:
        slowest = max(slowest, hello(broker))
    return slowest


def slowest_hello(broker):
    """In the best of a few spans: where the machine itself stands still, hellos do, too."""
    spans = []
    for _ in range(SPANS):
        spans.append(slowest_of_a_span(broker))
        if spans[-1] < SLOWEST_HELLO:
            break
    return min(spans)


@contextlib.contextmanager
def another_user(lab, module, *words, user=NOBODY):
    """A client of another user's, once it has said that it is at work."""
    as_user = [f"--reuid={user}" if word == f"--reuid={NOBODY}" else word for word in other_user()]
    argv = [*as_user, *module_for_all(f"support.clients.{module}"), *map(str, words)]
    process = lab.server.popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline()
        yield process
    finally:
        process.stdin.close()
        process.wait(timeout=20)


@pytest.mark.parametrize("command", ["doctor", "ps", "status", "paths"])
def test_requests_on_hundreds_of_connections(lab, broker, command):
    program = RunningProgram(lab, broker)
    with another_user(lab, "request_flood", broker.socket, command, 300) as flood:
        assert slowest_hello(broker) < SLOWEST_HELLO
        assert program.connect(CORPORATE).source == "10.8.0.2"
        assert broker.ask(command)
    answered, _ = map(int, flood.stdout.readline().split())
    assert answered, "they were answered, too"


@contextlib.contextmanager
def effective_user(user):
    os.seteuid(user)
    try:
        yield
    finally:
        os.seteuid(0)


def watching(broker):
    """A connection of this process's effective user that asks for events, and the first answer."""
    sock = wire.connect(broker.socket)
    sock.send(wire.request(b'{"command":"watch"}'))
    return sock, json.loads(sock.recv(wire.LARGEST)[12:])


def test_a_user_has_sixteen_watchers(broker):
    other_user()
    with effective_user(NOBODY), contextlib.ExitStack() as open_sockets:
        for _ in range(16):
            sock, event = watching(broker)
            open_sockets.enter_context(sock)
            assert "error" not in event
        one_too_many, answer = watching(broker)
        assert "watch already" in answer["error"]
        one_too_many.send(wire.request())
        assert "generation" in str(one_too_many.recv(wire.LARGEST)), "it is served all the same"
        one_too_many.close()
    with contextlib.ExitStack() as open_sockets:
        for _ in range(17):
            sock, event = watching(broker)
            open_sockets.enter_context(sock)
            assert "error" not in event, "root's may be more"
    with effective_user(NOBODY):
        wait_until(lambda: "error" not in watching(broker)[1], "the places are free again")


def test_users_with_all_their_connections_shut_nobody_out(lab, monkeypatch):
    """Those of one user's subordinate ids, or of many users."""
    script = lab.directory / "pxd-with-few-descriptors"
    script.write_text(f'#!/bin/sh\nexec prlimit --nofile=1024:1024 {lab_broker.PXD} "$@"\n')
    script.chmod(0o755)
    monkeypatch.setattr(lab_broker, "PXD", script)
    broker = Broker(lab.client, lab.directory / "few", POLICY)
    limit = broker.ask("status")["limits"]["connections_per_user"]
    with contextlib.ExitStack() as floods:
        for user in range(60001, 60010):
            flood = another_user(lab, "connection_flood", broker.socket, limit, limit, user=user)
            floods.enter_context(flood)
        with another_user(lab, "request_flood", broker.socket, "status", 1, user=61000) as asking:
            wait_until(lambda: broker.ask("status"), "root is served")
    answered, closed = map(int, asking.stdout.readline().split())
    assert answered > 0 and closed == 0
    assert broker.stop() == 0


@contextlib.contextmanager
def calling_silent_members(lab, broker):
    """Another user's thousand connections, while the kernel calls fifteen members for each."""
    limits = ["prlimit", "--nofile=8192:8192"]
    words = [*limits, build_for_all() / "cli/px-exec", "--profile", "many", "--"]
    module = module_for_all("support.clients.many_members", PUBLIC, "7001", "1000")
    client = lab.client.popen(
        [*other_user(), *words, *module],
        env=broker.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert client.stdout.readline() == "1000\n"
    calling = ["ss", "-Htn", "state", "syn-sent"]
    called = lambda: lab.client.run(calling).stdout.count("198.1")
    wait_until(lambda: called() > 100, "the kernel calls members that do not answer")
    yield
    assert called() > 0, "it was calling all the time"
    client.stdin.close()
    assert client.wait(timeout=30) == 0


def test_a_thousand_connections_of_members_that_do_not_answer(lab):
    """The broker has the kernel call them again and again, and others have their turn in between.
    Most are called at first, so each span has connections of its own."""
    lab.routers["lte"].ip("route add blackhole 198.18.0.0/15")
    accepting = (
        "import socket; s = socket.socket(proto=socket.IPPROTO_MPTCP); s.bind(('0.0.0.0', 7001))\n"
        "s.listen(4096); kept = []\nwhile True: kept.append(s.accept())"
    )
    lab.server.popen(["prlimit", "--nofile=8192:8192", sys.executable, "-c", accepting])
    lab.server.listens(7001)
    spans = []
    with lab.serving(MANY_MEMBERS) as broker:
        while len(spans) < SPANS and min(spans, default=1) >= SLOWEST_BESIDE_MEMBERS:
            with calling_silent_members(lab, broker):
                spans.append(slowest_of_a_span(broker))
    assert min(spans) < SLOWEST_BESIDE_MEMBERS
