# SPDX-License-Identifier: MIT
"""The broker killed: running programs go on, a new broker reaches them; a thousand at once."""

import json
import subprocess
import sys
import time

import pytest

from support.clients.running_program import RunningProgram
from support.lab.broker import POLICY
from support.lab.three_uplinks import CORPORATE, PUBLIC
from support.programs import CLIENTS, program_file
from support.wait import wait_until

pytestmark = pytest.mark.broker

PROGRAMS = 1000


def swapped(policy=POLICY):
    """The same policy, with everything but the company's networks through vpn0 too."""
    return policy.replace("via: [lte, lan]", "via: vpn")


def preloaded(broker):
    """A program with libpx.so that connects to CORPORATE twice."""
    words = broker.preload_words(PX_PROFILE="vpn-split")
    return [*words, program_file("connect_twice"), CORPORATE, "80"]


def test_running_programs_go_on(lab, broker, program):
    assert program.connect(CORPORATE).source == "10.8.0.2"
    broker.kill()
    for _ in range(3):
        assert program.connect(CORPORATE).source == "10.8.0.2"
        assert program.connect(PUBLIC).source == "100.64.2.2"
    lab.link_down("vpn")
    assert program.connect(CORPORATE).error == "ENETUNREACH"
    assert set(lab.flows.left(CORPORATE)) == {"vpn0"}


def test_a_new_broker_reaches_them(broker, program):
    program.connect(PUBLIC)
    broker.kill()
    assert program.connect(PUBLIC).source == "100.64.2.2"
    broker.start()
    assert program.connect(PUBLIC).source == "100.64.2.2"
    assert broker.reload(swapped()).returncode == 0
    assert program.connect(PUBLIC).source == "10.8.0.2"
    line = wait_until(lambda: broker.program(program.pid), "the program is in pxctl ps again")
    assert line["profile"] == "vpn-split"


def test_a_new_broker_with_another_policy_is_heard_without_a_reload(broker, program):
    program.connect(PUBLIC)
    broker.kill()
    broker.config.write_text(swapped())
    broker.start()
    wait_until(
        lambda: program.connect(PUBLIC).source == "10.8.0.2", "the new broker's policy is in force"
    )


def test_a_new_program_without_a_broker_fails_closed(lab, broker):
    broker.kill()
    done = lab.px(broker, ["curl", "-sS", f"http://{CORPORATE}/"], check=False)
    assert done.returncode == 125
    assert "pxd" in done.stderr
    # The same for a program whose environment is older than the broker's death.
    argv = preloaded(broker)
    done = lab.client.run(argv, check=False)
    assert done.stdout == "first: ENETUNREACH\nsecond: ENETUNREACH\n"
    assert len(done.stderr.splitlines()) == 1
    assert lab.flows.left(CORPORATE) == {}


def test_a_stopped_broker_is_waited_for_only_so_long(lab, broker):
    """The hello has a deadline: a program whose broker does not answer fails closed."""
    argv = preloaded(broker)
    broker.process.send_signal(subprocess.signal.SIGSTOP)
    started = time.monotonic()
    done = lab.client.run(argv, check=False)
    seconds = time.monotonic() - started
    broker.process.send_signal(subprocess.signal.SIGCONT)
    assert done.stdout.startswith("first: ENETUNREACH\n")
    assert seconds < 25, "five, and what a busy machine takes"
    assert lab.flows.left(CORPORATE) == {}


def test_a_stopped_broker_hangs_no_program_that_was_greeted(broker, program, lab):
    """Not even one that may have been moved just then: it goes on under its plan."""
    other = RunningProgram(lab, broker)
    for each in (program, other):
        assert each.connect(CORPORATE).source == "10.8.0.2"
    broker.pxctl("move", str(other.pid), "lan-only")
    broker.process.send_signal(subprocess.signal.SIGSTOP)
    try:
        started = time.monotonic()
        for _ in range(10):
            assert program.connect(CORPORATE).source == "10.8.0.2"
        seconds = time.monotonic() - started
    finally:
        broker.process.send_signal(subprocess.signal.SIGCONT)
    assert seconds < 4, "one at most, and what a busy machine takes"
    wait_until(lambda: other.connect(CORPORATE).source == "192.168.1.2", "it has been moved")


def test_a_broker_that_comes_late_to_its_work(lab, broker):
    """As on a busy machine: the programs wait, and do not fail closed."""
    argv = preloaded(broker)
    broker.process.send_signal(subprocess.signal.SIGSTOP)
    started = time.monotonic()
    program = lab.client.popen(argv, stdout=subprocess.PIPE)
    wait_until(lambda: time.monotonic() - started > 2, "two seconds have passed")
    broker.process.send_signal(subprocess.signal.SIGCONT)
    assert program.stdout.readline() == "first: 10.8.0.2\n"


class ManyPrograms:
    """PROGRAMS processes that each connect when told to (many_programs.py)."""

    def __init__(self, lab, broker):
        self.process = lab.px_popen(
            broker,
            [
                *(sys.executable, "-I", CLIENTS / "many_programs.py", str(PROGRAMS)),
                *(program_file("connect_loop"), PUBLIC),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def go(self):
        """All connect once: {source address: how many}."""
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def test_a_thousand_programs_at_once(lab, broker):
    programs = ManyPrograms(lab, broker)
    assert programs.go() == {"100.64.2.2": PROGRAMS}
    assert sum(p["routed"] > 0 for p in broker.ask("ps")["programs"]) >= PROGRAMS
    assert broker.reload(swapped()).returncode == 0
    assert programs.go() == {"10.8.0.2": PROGRAMS}, "at once, with no 100 ms to spare"
    broker.kill()
    assert programs.go() == {"10.8.0.2": PROGRAMS}
    broker.start()
    assert broker.reload(POLICY).returncode == 0
    assert programs.go() == {"100.64.2.2": PROGRAMS}
    lab.link_down("lte")
    wait_until(
        lambda: RunningProgram(lab, broker).connect(PUBLIC).source == "192.168.1.2",
        "lan0 takes over",
    )
    assert programs.go() == {"192.168.1.2": PROGRAMS}
