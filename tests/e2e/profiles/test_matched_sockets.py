# SPDX-License-Identifier: MIT
"""Programs that match a profile, which chooses the transport of all their sockets. The first socket
asks for the profile, and only where some profile has `sockets: all`."""

import os
import shutil
import sys

import pytest

from support.lab.broker import POLICY
from support.lab.isolation import RUN
from support.programs import LIBPX
from support.tracing import strace

BIN = RUN / "bin"
MPTCP, TCP = "262", "6"
CHOSEN = f"""
  chosen:
    match: [ {{ exe: "{BIN}/chosen" }} ]
    bundle: {{ transports: [mptcp, tcp], sockets: all }}
"""
STREAMS = """
import socket
for _ in range(2):
    with socket.socket() as sock:
        print(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PROTOCOL))
"""
OTHERS = """
import socket
for family, kind in ((socket.AF_INET, socket.SOCK_DGRAM), (socket.AF_UNIX, socket.SOCK_STREAM)):
    socket.socket(family, kind).close()
"""


@pytest.fixture(autouse=True)
def programs(lab):
    shutil.rmtree(BIN, ignore_errors=True)
    BIN.mkdir()
    for name in ("chosen", "other"):
        shutil.copy(os.path.realpath(sys.executable), BIN / name)


@pytest.fixture
def serve(lab):
    brokers = []

    def start(policy):
        brokers.append(lab.start_broker(policy))
        return brokers[-1]

    yield start
    for broker in brokers:
        assert broker.stop() == 0, broker.log_text


def protocols(lab, broker, name):
    argv = [BIN / name, "-I", "-c", STREAMS]
    return lab.client.run(argv, env=broker.environment(LD_PRELOAD=str(LIBPX))).stdout.split()


def traced(lab, broker, name, script):
    words = broker.preload_words()
    argv = [BIN / name, "-I", "-c", script]
    return strace(lab.client, argv, lambda command: lab.client.run([*words, *command]))


def hellos(lines, broker):
    return [line for line in lines if "connect(" in line and str(broker.socket) in line]


@pytest.mark.routes
def test_the_first_socket_is_chosen(lab, serve):
    broker = serve(POLICY + CHOSEN)
    assert protocols(lab, broker, "chosen") == [MPTCP, MPTCP]
    assert protocols(lab, broker, "other") == [TCP, TCP]


def test_the_first_socket_under_a_default_profile(lab, serve):
    unmatched = CHOSEN.replace("exe:", "cgroup: /none, exe:")
    broker = serve("default-profile: chosen\n" + POLICY + unmatched)
    assert protocols(lab, broker, "other") == [MPTCP, MPTCP]


def test_it_is_asked_for_once(lab, serve):
    broker = serve(POLICY + CHOSEN)
    assert len(hellos(traced(lab, broker, "other", STREAMS), broker)) == 1


def test_programs_without_streams_ask_nobody(lab, serve):
    broker = serve(POLICY + CHOSEN)
    lines = traced(lab, broker, "chosen", OTHERS)
    assert not [line for line in lines if str(broker.directory) in line]


def test_without_such_a_profile_it_is_one_look(lab, serve):
    broker = serve(POLICY)
    lines = traced(lab, broker, "other", STREAMS)
    (look,) = [line for line in lines if str(broker.directory) in line]
    assert look.startswith("faccessat(") and "all-sockets" in look


def test_a_reload_brings_it_and_takes_it_away(lab, serve):
    broker = serve(POLICY)
    assert broker.reload(POLICY + CHOSEN).returncode == 0
    assert protocols(lab, broker, "chosen") == [MPTCP, MPTCP]
    assert broker.reload(POLICY).returncode == 0
    assert protocols(lab, broker, "chosen") == [TCP, TCP]
    assert not (broker.directory / "plan-v3/all-sockets").exists()
