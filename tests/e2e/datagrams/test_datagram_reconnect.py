# SPDX-License-Identifier: MIT
"""One datagram socket that is connected again and again leaves each time as the policy says."""

import sys

import pytest

from support.lab.three_uplinks import CORPORATE, CORPORATE6, PUBLIC, PUBLIC6

pytestmark = [pytest.mark.broker, pytest.mark.routes]

# Commands on one UDP socket: an address connects and sends, "none" dissolves the connection, "port"
# binds a port of the kernel's choice. Prints the local address after each.
SCRIPT = """
import ctypes, os, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
six = any(":" in word for word in sys.argv)
sock = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_DGRAM)
for word in sys.argv[1:]:
    try:
        if word == "none":
            assert libc.connect(sock.fileno(), bytes(16), 16) == 0
        elif word == "port":
            sock.bind(("", 0))
        else:
            sock.connect((word, 9))
            try:
                sock.send(b"x")
            except ConnectionRefusedError:  # what came back of the one before
                sock.send(b"x")
        print(*sock.getsockname()[:2])
    except OSError as error:
        print(os.strerror(error.errno))
"""


def udp(lab, broker, *words):
    done = lab.px(broker, [sys.executable, "-I", "-c", SCRIPT, *words])
    return [line.split() for line in done.stdout.splitlines()]


@pytest.mark.parametrize("destination", [CORPORATE, CORPORATE6])
def test_dissolved_and_connected_again(lab, broker, destination):
    udp(lab, broker, destination, "none", destination)
    assert lab.flows.left(destination) == {"vpn0": 2}


@pytest.mark.parametrize(
    "first, second", [(CORPORATE, PUBLIC), (CORPORATE6, PUBLIC6)], ids=["ipv4", "ipv6"]
)
def test_another_uplink_with_the_same_socket(lab, broker, first, second):
    udp(lab, broker, first, second, first)
    assert lab.flows.left(first) == {"vpn0": 2}
    assert lab.flows.left(second) == {"lte0": 1}


def test_a_neighbour_after_a_routed_destination(lab, broker):
    neighbour = lab.uplink("lan").gateway
    udp(lab, broker, CORPORATE, neighbour)
    assert set(lab.flows.left(neighbour)) == {"lan0"}


def test_an_own_address_after_a_routed_destination(lab, broker):
    own = lab.uplink("lan").source
    udp(lab, broker, CORPORATE, own)
    assert set(lab.flows.left(own)) <= {"lo"}


def test_a_port_that_was_bound_stays(lab, broker):
    bound, connected = udp(lab, broker, "port", CORPORATE)
    assert connected == [lab.uplink("vpn").source, bound[1]]
    assert set(lab.flows.left(CORPORATE)) == {"vpn0"}

