# SPDX-License-Identifier: MIT
"""Many who come at once: all are served, in time, also by a broker with few descriptors."""

import pytest

from support.lab.broker import POLICY, Broker
from support.lab.three_uplinks import CORPORATE
from support.programs import program_file

pytestmark = pytest.mark.broker

VPN = "10.8.0.2"
DEADLINE = 5  # of a hello, in seconds


@pytest.fixture
def poor_broker(lab):
    """With 1,024 descriptors, a few connections of one user are a crowd."""
    before = ["prlimit", "--nofile=1024:1024"]
    broker = Broker(lab.client, lab.directory / "px", POLICY, before=before)
    yield broker
    assert broker.stop() == 0, broker.log_text


def herd(lab, broker, processes, threads):
    """What came of everybody's first connect, and how long the slowest took, in seconds."""
    words = broker.preload_words(PX_PROFILE="vpn-split")
    argv = [*words, program_file("herd"), str(processes), str(threads), CORPORATE, "80"]
    done = lab.client.run(argv)
    *outcomes, slowest = done.stdout.splitlines()
    return outcomes, done.stderr, int(slowest.split()[1]) / 1000


def assert_all_are_served(lab, broker, processes, threads):
    outcomes, complaints, seconds = herd(lab, broker, processes, threads)
    assert outcomes == [f"{VPN}: {processes * threads}"], complaints
    assert complaints == ""
    assert seconds < DEADLINE + 1
    assert set(lab.flows.left(CORPORATE)) == {"vpn0"}


def test_a_thousand_programs(lab, broker):
    assert_all_are_served(lab, broker, 1000, 1)


def test_threads_of_a_program(lab, poor_broker):
    assert_all_are_served(lab, poor_broker, 1, 50)


def test_programs_and_a_broker_with_few_descriptors(lab, poor_broker):
    assert_all_are_served(lab, poor_broker, 200, 2)


def test_more_programs_than_the_broker_can_know(lab, poor_broker):
    """A thousand sessions are more than its descriptors. The plan is theirs all the same."""
    assert_all_are_served(lab, poor_broker, 1000, 1)
