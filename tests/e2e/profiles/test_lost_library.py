# SPDX-License-Identifier: MIT
"""Programs that were started under px and have replaced LD_PRELOAD on the way: they go as the host
routes them, and `ps` and `doctor` say so."""

import subprocess
import sys

import pytest

from support.wait import wait_until

WAIT = [sys.executable, "-c", "input()"]
# Some other library, as a program would preload its own.
OTHER = "LD_PRELOAD=libm.so.6"
LOST = {
    "the program itself": (["env", OTHER, *WAIT], "launched"),
    "a child of it": (
        ["sh", "-c", f"{OTHER} {sys.executable} -c 'input()'; true"],
        "environment",
    ),
}


def programs(broker, executable):
    return [each for each in broker.ask("ps")["programs"] if executable in each["exe"]]


def uncovered(broker, origin=None):
    return [
        each
        for each in broker.ask("ps")["programs"]
        if each["state"] == "uncovered" and origin in (None, each["origin"])
    ]


def end(running):
    running.communicate("\n", timeout=10)


@pytest.mark.parametrize("how", LOST)
def test_ps_and_doctor_name_it(lab, broker, how):
    argv, origin = LOST[how]
    before = broker.pxctl("doctor", check=False)
    assert "PX_PROFILE has come to" not in before.stdout
    running = lab.px_popen(broker, argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        # If it is started while ps looks around, ps knows nothing of its launch yet.
        lost = wait_until(lambda: uncovered(broker, origin), "ps has seen it")
        assert [each["profile"] for each in lost] == ["vpn-split"]
        assert len(uncovered(broker)) == 1
        assert lost[0]["why"] == "libpx.so is not in it: LD_PRELOAD was replaced, or not heeded"
        assert "LD_PRELOAD was replaced" in broker.pxctl("ps").stdout
        told = broker.pxctl("doctor", check=False)
        assert told.returncode == 1
        assert "warning: running programs that PX_PROFILE has come to" in told.stdout
        assert "has not: 1;" in told.stdout
    finally:
        end(running)


def test_programs_that_have_it_are_not_named(lab, broker):
    running = lab.px_popen(broker, WAIT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        line = wait_until(lambda: broker.program(running.pid), "ps shows it")
        assert (line["state"], line["why"]) == ("launched", None)
        assert "PX_PROFILE has come to" not in broker.pxctl("doctor", check=False).stdout
    finally:
        end(running)


def test_those_of_another_broker_are_not_named(lab, broker):
    variables = ["PX_PROFILE=vpn-split", "PX_SOCKET=/nonexistent/px.sock"]
    running = lab.client.popen(["env", *variables, *WAIT], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    own = lab.client.popen(
        ["env", "PX_PROFILE=vpn-split", f"PX_SOCKET={broker.socket}", *WAIT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        wait_until(lambda: broker.program(own.pid), "ps shows what is of this broker")
        assert broker.program(running.pid) is None
    finally:
        end(running)
        end(own)
