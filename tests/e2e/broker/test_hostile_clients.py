# SPDX-License-Identifier: MIT
"""Clients that break the protocol are closed, and cost others nothing."""

import concurrent.futures
import json
import os
import socket
import struct
import subprocess
import time

import pytest

from support import wire
from support.clients.running_program import RunningProgram
from support.lab.three_uplinks import CORPORATE
from support.unprivileged import module_for_all, other_user
from support.wait import wait_until

pytestmark = pytest.mark.broker

PROMPT = 5.0

MALFORMED = {
    "nothing": b"",
    "half a header": wire.header(wire.HELLO, 12)[:6],
    "a header alone": wire.header(wire.HELLO, 12),
    "half a hello": wire.hello()[:40],
    "a length too long": wire.packet(wire.HELLO, bytes(76), 4096),
    "a length too short": wire.packet(wire.HELLO, bytes(76), 12),
    "length zero": wire.packet(wire.REQUEST, b"{}", 0),
    "length of all ones": wire.packet(wire.REQUEST, b"{}", 0xFFFFFFFF),
    "another magic": b"HTTP" + wire.hello()[4:],
    "an unknown type": wire.packet(99, b""),
    "a type that is the broker's": wire.packet(wire.WELCOME, struct.pack("=IQ", 0, 1)),
    "a profile without its end": wire.hello(b"x" * 64),
    "a profile that is a path": wire.hello(b"../../etc/passwd"),
    "a health report at no port": wire.health_report("vpn-split", "198.51.100.1", 0, 1),
    "a health report of neither kind": wire.health_report("vpn-split", "198.51.100.1", 80, 2),
    "a health report under a path": wire.health_report("../vpn-split", "198.51.100.1", 80, 1),
    "half a health report": wire.health_report("vpn-split", "198.51.100.1", 80, 1)[:60],
    "the largest packet of zeros": bytes(wire.LARGEST),
}


def answers(broker):
    """The broker answers, and promptly."""
    started = time.monotonic()
    status = broker.ask("status")
    assert time.monotonic() - started < PROMPT
    return status


@pytest.mark.parametrize("what", MALFORMED)
def test_malformed_packets_close_the_connection(broker, what):
    sock = wire.connect(broker.socket)
    sock.send(MALFORMED[what])
    assert wire.closed(sock)
    assert answers(broker)["connections"] == 1


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"null", b"[]", b'"x"', b'{"command":1}', b'{"command":"format-disk"}',
     b'{"command":"explain","destination":7}', b"\xff\xfe", b"[" * 60000],
    ids=lambda text: repr(text[:20]),
)
def test_requests_that_cannot_be_answered(broker, text):
    """Each is refused in words or closed, as the protocol has it."""
    sock = wire.connect(broker.socket)
    sock.send(wire.request(text))
    answer = wire.receive(sock)
    if answer:
        assert "error" in json.loads(answer[12:])
    answers(broker)


def test_descriptors_are_not_taken(broker):
    before = broker.idle_files()
    null = os.open("/dev/null", os.O_RDONLY)
    for count in (1, 2, 253):
        sock = wire.connect(broker.socket)
        wire.send_with_descriptors(sock, wire.request(), [null] * count)
        assert wire.closed(sock)
    os.close(null)
    wait_until(lambda: broker.open_files() == before, "no descriptor stays with the broker")


NOT_ALLOWED, UNMARKABLE, NO_EXTRA_PATHS = 5, 6, 7


def ask_for_mark(broker, data, descriptors, says_hello=True):
    """The broker's answer to one packet with descriptors; b"" where it closes."""
    sock = wire.connect(broker.socket)
    if says_hello:
        sock.send(wire.hello())
        for descriptor in socket.recv_fds(sock, 4096, 8)[1]:
            os.close(descriptor)
    wire.send_with_descriptors(sock, data, descriptors)
    return wire.receive(sock)


def test_marks_are_for_internet_sockets_of_this_network(lab, broker):
    before = broker.open_files()
    with lab.client.socket() as sock:
        marked = ask_for_mark(broker, wire.mark(0), [sock.fileno()])
    assert struct.unpack_from("=IHHI", marked)[1] == wire.MARKED
    reader, writer = os.pipe()
    with socket.socket(socket.AF_UNIX) as local, socket.socket(socket.AF_INET) as elsewhere:
        for descriptor in (reader, local.fileno(), elsewhere.fileno()):
            code, reason = wire.refusal(ask_for_mark(broker, wire.mark(0), [descriptor]))
            assert code == UNMARKABLE and reason
    os.close(reader)
    os.close(writer)
    wait_until(lambda: broker.open_files() <= before + 6, "no descriptor stays with the broker")


def test_marks_are_those_of_the_own_plan(lab, broker):
    with lab.client.socket() as sock:
        for value in (1, 0x01000000, 0xFFFFFFFF):
            answer = ask_for_mark(broker, wire.mark(value), [sock.fileno()])
            assert wire.refusal(answer)[0] == NOT_ALLOWED
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_MARK) == 0


def test_marks_are_for_programs_that_said_hello(lab, broker):
    with lab.client.socket() as sock:
        answer = ask_for_mark(broker, wire.mark(0), [sock.fileno()], says_hello=False)
    assert wire.refusal(answer)[0] == NOT_ALLOWED


def test_extra_paths_are_for_programs_that_said_hello_and_their_sockets(lab, broker):
    request = wire.extra_paths(443, ["203.0.113.80"])
    with lab.client.socket() as sock:
        answer = ask_for_mark(broker, request, [sock.fileno()], says_hello=False)
        assert wire.refusal(answer)[0] == NOT_ALLOWED
        assert wire.refusal(ask_for_mark(broker, request, [sock.fileno()]))[0] == NO_EXTRA_PATHS
        assert ask_for_mark(broker, request[:-1], [sock.fileno()]) == b""
        assert ask_for_mark(broker, request, [sock.fileno()] * 2) == b""
    with socket.socket(socket.AF_UNIX) as local, socket.socket(socket.AF_INET) as elsewhere:
        for other in (local, elsewhere):
            code, reason = wire.refusal(ask_for_mark(broker, request, [other.fileno()]))
            assert code == NO_EXTRA_PATHS and reason


def test_a_mark_without_its_one_socket_is_closed(lab, broker):
    with lab.client.socket() as sock:
        for data, count in ((wire.mark(0), 2), (wire.mark(0), 253), (wire.mark(0)[:14], 1)):
            assert ask_for_mark(broker, data, [sock.fileno()] * count) == b""
    plain = wire.connect(broker.socket)
    plain.send(wire.mark(0))
    assert wire.closed(plain)
    answers(broker)


def test_a_hello_may_carry_one_descriptor(broker):
    before = broker.idle_files()
    null = os.open("/dev/null", os.O_RDONLY)
    ends = socket.socketpair()
    for descriptor in (null, ends[0].fileno()):
        with wire.connect(broker.socket) as sock:
            wire.send_with_descriptors(sock, wire.hello(b""), [descriptor])
            data, descriptors, _, _ = socket.recv_fds(sock, 4096, 8)
            assert data[4:6] == struct.pack("=H", wire.WELCOME)
            assert not descriptors, "no profile matches"
    sock = wire.connect(broker.socket)
    wire.send_with_descriptors(sock, wire.hello(), [null, null])
    assert wire.closed(sock)
    os.close(null)
    wait_until(lambda: broker.open_files() == before, "no descriptor stays with the broker")


def closed_after(sock):
    """The seconds until the broker closes it."""
    started = time.monotonic()
    assert wire.closed(sock)
    return time.monotonic() - started


def test_clients_that_are_silent_or_do_not_read_are_closed(broker):
    before = broker.open_files()
    silent = wire.connect(broker.socket, timeout=15)
    sock = wire.connect(broker.socket, timeout=0.2)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        waiting = pool.submit(closed_after, silent)
        sent = 0
        try:
            while sent < 100000:
                sock.send(wire.request())
                sent += 1
        except (ConnectionError, TimeoutError):
            pass
        assert sent < 100000, "the broker took everything without an answer being read"
        answers(broker)
        assert 3 < waiting.result() < 10
    silent.close()
    answers(broker)
    wait_until(lambda: broker.open_files() <= before, "the connections are closed")


def test_hellos_without_end_keep_to_the_quota(broker):
    """Each leaves a plan and a page with the client; none may stay with the broker."""
    before = broker.open_files()
    for _ in range(300):
        sock = wire.connect(broker.socket)
        sock.send(wire.hello())
        data, descriptors, _, _ = socket.recv_fds(sock, 4096, 8)
        assert data
        for descriptor in descriptors:
            os.close(descriptor)
        sock.close()
    answers(broker)
    assert broker.open_files() < before + 320


@pytest.fixture
def flood(lab, broker):
    def start(count, hold):
        return lab.server.popen(
            [
                *other_user(),
                *module_for_all("support.clients.connection_flood"),
                *(broker.socket, str(count), str(hold)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    return start


def test_ten_thousand_connections_of_another_user_cost_others_nothing(lab, broker, flood):
    before = broker.open_files()
    program = RunningProgram(lab, broker)
    program.connect(CORPORATE)
    process = flood(10000, 5000)
    slowest = 0
    while not select_ready(process.stdout):
        started = time.monotonic()
        answers(broker)
        assert program.connect(CORPORATE).source == "10.8.0.2"
        assert RunningProgram(lab, broker).connect(CORPORATE).source == "10.8.0.2"
        slowest = max(slowest, time.monotonic() - started)
    assert process.stdout.readline().startswith("done 10000 ")
    assert slowest < 2 * PROMPT
    # The other user still holds connections open, up to its quota: nobody else is slower.
    assert RunningProgram(lab, broker).connect(CORPORATE).source == "10.8.0.2"
    limit = answers(broker)["limits"]["connections_per_user"]
    # Each with its pidfd. Those that were turned away are closed by another process, one by one.
    most = before + 2 * limit + 50
    wait_until(lambda: broker.open_files() <= most, "no more than the quota's are open")
    process.stdin.close()
    process.wait(timeout=10)
    wait_until(lambda: answers(broker)["connections"] == 1, "all of them are gone")


def select_ready(stream):
    import select

    return bool(select.select([stream], [], [], 0)[0])


def test_the_quota_of_a_user_is_its_own(broker, flood):
    limit = answers(broker)["limits"]["connections_per_user"]
    process = flood(limit + 500, limit + 500)
    assert process.stdout.readline()
    held = [wire.connect(broker.socket) for _ in range(100)]
    assert answers(broker)["connections"] <= limit + len(held) + 1
    for sock in held:
        sock.send(wire.request())
        assert b'"pid"' in sock.recv(wire.LARGEST)
    process.kill()
