# SPDX-License-Identifier: MIT
"""Programs of one behaviour each (tests/programs): bare, under a policy that touches nothing, and
under a real one. The first two outputs are identical; the third leaves by the rule's uplink."""

import pytest

from support.lab.three_uplinks import CORPORATE, CORPORATE6, PUBLIC
from support.programs import program_file

BEHAVIOURS = {
    "closefrom_connect": [],
    "connect_twice": [],
    "fork_connect": [],
    "nonblocking_connect": [],
    "signal_connect": [],
    "vfork_exec": [],
    "dup_connect": ["dup"],
    "thread_connect": ["16"],
    "connect_loop": ["5"],
}


@pytest.mark.parametrize("destination", [CORPORATE, CORPORATE6])
@pytest.mark.parametrize("name", BEHAVIOURS)
def test_behaviour(lab, broker, name, destination):
    argv = [program_file(name), *BEHAVIOURS[name], destination, "80"]
    bare = lab.client.run(argv)
    assert set(lab.flows.left(destination)) == {"lan0"}
    untouched = lab.px(broker, argv, "empty")
    assert (untouched.stdout, untouched.stderr) == (bare.stdout, bare.stderr)
    lab.flows.reset()
    routed = lab.px(broker, argv)
    assert set(lab.flows.left(destination)) == {"vpn0"}
    lan, vpn = (lab.uplink(name).source_for(destination) for name in ("lan", "vpn"))
    assert routed.stdout == bare.stdout.replace(lan, vpn)
    assert routed.stderr == bare.stderr


@pytest.mark.parametrize("how", ["dup", "dup2", "dup3", "fcntl"])
def test_copies_of_a_descriptor(lab, broker, how):
    argv = [program_file("dup_connect"), how, CORPORATE, "80"]
    assert lab.px(broker, argv).stdout == lab.client.run(argv).stdout.replace(
        "192.168.1.2", "10.8.0.2"
    )
    assert lab.flows.per_interface("syn", CORPORATE) == {"vpn0": 1, "lan0": 1}


def test_a_socket_that_arrives_in_a_message(lab, broker):
    lab.px(broker, [program_file("received_connect"), CORPORATE, "80"])
    assert set(lab.flows.left(CORPORATE)) == {"vpn0"}


@pytest.mark.parametrize("call", ["sendto", "sendmsg", "sendmmsg", "option"])
def test_fast_open(lab, broker, call):
    argv = [program_file("tfo_connect"), call, CORPORATE, "80"]
    lab.px(broker, argv)
    assert set(lab.flows.left(CORPORATE)) == {"vpn0"}


def test_a_datagram_socket_that_is_connected_again(lab, broker):
    argv = [program_file("udp_connected"), CORPORATE, "7777", CORPORATE, "7777", PUBLIC, "7777"]
    routed = lab.px(broker, argv)
    assert lab.flows.left(CORPORATE) == {"vpn0": 2}
    # By the rule's uplink or not at all: a device cannot be taken from a socket without privilege.
    assert set(lab.flows.left(PUBLIC)) <= {"lte0"}
    assert routed.stdout.splitlines()[:2] == [f"{CORPORATE}: 10.8.0.2"] * 2


def test_loopback_after_a_routed_destination_does_not_leave_the_host(lab, broker):
    argv = [program_file("udp_connected"), CORPORATE, "7777", "127.0.0.1", "7777"]
    lab.px(broker, argv)
    assert lab.flows.left(CORPORATE) == {"vpn0": 1}
    assert set(lab.flows.left("127.0.0.1")) <= {"lo"}
