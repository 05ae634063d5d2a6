# SPDX-License-Identifier: MIT
"""A program that no rule concerns makes the same system calls under px as without it."""

import sys
import tempfile

import pytest

from support.lab.three_uplinks import CORPORATE, CORPORATE6, PUBLIC, PUBLIC6
from support.programs import program_file
from support.tracing import comparable, from_first_socket, strace

UNIX = """
import os, socket
s = socket.socket(socket.AF_UNIX)
for name in ("/nonexistent", "\\0px-lab-nobody"):
    print(s.connect_ex(name))
a, b = socket.socketpair()
a.sendall(b"x"); print(b.recv(1))
"""

# A server that is called at one of its host's addresses; it asks for both ends' addresses.
SERVER = """
import socket
with socket.create_server(("192.168.1.2", 8000)) as server:
    server.getsockname()
    with socket.create_connection(("192.168.1.2", 8000)) as caller:
        accepted, _ = server.accept()
        print(accepted.getsockname(), accepted.getpeername() == caller.getsockname())
        accepted.close()
"""


def calls(lab, argv, broker=None, profile="empty"):
    run = (lambda command: lab.px(broker, command, profile)) if broker else lab.client.run
    lines = strace(lab.client, argv, run)
    # Under px the library was loaded, and mapped its plan.
    assert any(f"/{profile}.plan" in line for line in lines) == (broker is not None)
    return comparable(from_first_socket(lines))


def assert_untouched(lab, broker, argv, profile):
    bare = calls(lab, argv)
    assert len(bare) > 2
    assert calls(lab, argv, broker, profile) == bare


@pytest.mark.parametrize("destination", [PUBLIC, PUBLIC6])
@pytest.mark.parametrize("name", ["connect_twice", "nonblocking_connect", "edge_cases"])
def test_a_profile_without_rules(lab, broker, name, destination):
    assert_untouched(lab, broker, [program_file(name), destination, "80"], "empty")


def test_a_profile_without_rules_and_datagrams(lab, broker):
    argv = [program_file("udp_connected"), PUBLIC, "7777", CORPORATE, "7777"]
    assert_untouched(lab, broker, argv, "empty")


@pytest.mark.parametrize("how", ["sendto", "sendmsg", "sendmmsg", "mapped", "own"])
def test_a_profile_without_rules_and_unconnected_datagrams(lab, broker, how):
    words = [how, *(["192.168.1.2"] if how == "own" else []), "2", "7777", PUBLIC, CORPORATE]
    assert_untouched(lab, broker, [program_file("datagrams"), *words], "empty")


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "192.168.1.2", "2001:db8:1::2"])
def test_a_profile_without_rules_and_a_datagram_server(lab, broker, address):
    assert_untouched(lab, broker, [program_file("datagrams_to_self"), address, "7777"], "empty")


@pytest.mark.parametrize("destination", [CORPORATE, CORPORATE6])
@pytest.mark.parametrize("how", ["send", "sendto", "sendmsg", "sendmmsg"])
def test_what_a_connected_datagram_socket_sends(lab, broker, how, destination):
    argv = [program_file("datagram_steps"), how, destination, "7777"]

    def sends(run):
        with tempfile.TemporaryFile("w+") as lines:
            lines.write("\n" * 5)
            lines.seek(0)
            seen = strace(lab.client, argv, lambda command: run(command, stdin=lines))
        start = next(n for n, line in enumerate(seen) if line.startswith("connect("))
        return comparable(seen[start + 1 :])

    def after_address(lines):
        """From the first line that is read on: before it, getsockname shows another source."""
        return lines[next(n for n, line in enumerate(lines) if line.startswith("read(")) :]

    bare = after_address(sends(lab.client.run))
    routed = after_address(sends(lambda command, **o: lab.px(broker, command, "vpn-split", **o)))
    assert len(bare) > 10
    assert routed == bare
    assert set(lab.flows.left(destination)) == {"lan0", "vpn0"}


@pytest.mark.parametrize("destination", ["127.0.0.1", "127.0.0.53", "::1", "10.8.0.2", "fd08::2"])
def test_loopback_and_own_addresses(lab, broker, destination):
    # Nobody listens there: refused at once, by the host itself.
    assert_untouched(lab, broker, [program_file("connect_twice"), destination, "9"], "vpn-split")


def test_unix_sockets(lab, broker):
    argv = [sys.executable, "-I", "-c", UNIX]
    bare, px = calls(lab, argv), calls(lab, argv, broker, "vpn-split")
    # An interpreter asks for memory at another time in each run.
    memory = {"brk", "mmap", "munmap"}
    bare, px = ([c for c in run if c.split("(")[0] not in memory] for run in (bare, px))
    assert len(bare) > 5
    assert px == bare


def test_an_ordinary_server(lab, broker):
    argv = [sys.executable, "-I", "-c", SERVER]
    bare, px = calls(lab, argv), calls(lab, argv, broker, "empty")
    memory = {"brk", "mmap", "munmap"}
    bare, px = ([c for c in run if c.split("(")[0] not in memory] for run in (bare, px))
    assert [c for c in bare if c.startswith(("accept4(", "getpeername(", "getsockname("))]
    assert px == bare


@pytest.mark.parametrize(
    "choice, destination",
    [
        (["source", "192.168.1.2"], CORPORATE),
        (["source", "2001:db8:1::2"], CORPORATE6),
        (["device", "lan0"], CORPORATE),
        (["mark", "7"], CORPORATE),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else value,
)
def test_what_the_program_chose_itself(lab, broker, choice, destination):
    argv = [program_file("bound_socket"), *choice, destination, "80"]
    bare, px = calls(lab, argv), calls(lab, argv, broker, "vpn-split")
    if choice[0] == "source":
        # The kernel is asked which source it is: one of the rule's entry would take its device.
        connect = next(n for n, call in enumerate(bare) if call.startswith("connect("))
        assert px.pop(connect).startswith("getsockname(")
    assert len(bare) > 2
    assert px == bare
    assert set(lab.flows.left(destination)) == {"lan0"}
    # A program that chose nothing is routed.
    routed = lab.px(broker, [program_file("connect_twice"), destination, "80"])
    assert lab.uplink("vpn").source_for(destination) in routed.stdout


def test_the_real_profile_is_seen_by_this_very_comparison(lab, broker):
    """If the hook never fired, every test above would pass."""
    argv = [program_file("connect_twice"), CORPORATE, "80"]
    assert calls(lab, argv, broker, "vpn-split") != calls(lab, argv)


def test_without_a_profile_nothing_but_one_look_and_one_hello_is_added(lab, broker):
    argv = [program_file("connect_twice"), CORPORATE, "80"]
    words = broker.preload_words()
    preloaded = strace(lab.client, argv, lambda command: lab.client.run([*words, *command]))
    (look,) = [line for line in preloaded if str(broker.directory / "plan-v3") in line]
    assert look.startswith("faccessat(") and "all-sockets" in look
    bare, px = calls(lab, argv), comparable(from_first_socket(preloaded))
    second = [n for n, line in enumerate(px) if line.startswith("socket(AF_INET")][1]
    assert px[second:] == bare[second - len(px) :]
    # Not of `px`: comparable() may have changed the directory's name.
    assert len([line for line in preloaded if f'"{broker.socket}"' in line]) == 1, preloaded
