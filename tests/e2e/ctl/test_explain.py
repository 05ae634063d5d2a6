# SPDX-License-Identifier: MIT
"""PX-8: pxctl explain says what a connection will do, and the connection does it."""

import pytest

from support.lab.three_uplinks import CORPORATE, CORPORATE6, PUBLIC, PUBLIC6
from support.wait import wait_until


def explain(broker, destination, *words):
    return broker.ask("explain", "curl", destination, "80", "--profile", "vpn-split", *words)


@pytest.mark.parametrize("destination", [CORPORATE, CORPORATE6, PUBLIC, PUBLIC6])
def test_what_is_explained_is_what_happens(lab, broker, program, destination):
    verdict = explain(broker, destination)
    assert (verdict["action"], verdict["reason"]) == ("via", "rule")
    connection = program.connect(destination)
    assert verdict["entry"]["source"] == connection.source
    assert set(lab.flows.left(destination)) == {verdict["entry"]["interface"]}
    assert verdict["rule"]["file"] == str(broker.config)
    line = broker.config.read_text().splitlines()[verdict["rule"]["line"] - 1]
    assert "to:" in line


@pytest.mark.parametrize(
    "destination, reason",
    [
        ("127.0.0.1", "loopback"),
        ("::1", "loopback"),
        ("10.8.0.2", "own-address"),
        ("fd08::2", "own-address"),
        ("10.8.0.77", "on-link"),
        ("fd08::77", "on-link"),
    ],
)
def test_exempt_destinations(broker, destination, reason):
    verdict = explain(broker, destination)
    assert (verdict["action"], verdict["reason"]) == ("system", reason)
    assert verdict["entry"] is None


def test_unavailable_says_which_candidates_and_why(lab, broker):
    lab.link_down("vpn")
    verdict = wait_until(
        lambda: (v := explain(broker, CORPORATE))["action"] == "fail" and v, "vpn0 unavailable"
    )
    assert (verdict["reason"], verdict["errno"]) == ("unavailable", "ENETUNREACH")
    assert verdict["entry"] is None
    assert all(not candidate["usable"] for candidate in verdict["candidates"])
    text = broker.pxctl("explain", "curl", CORPORATE, "80", "--profile", "vpn-split").stdout
    assert "ENETUNREACH" in text


def test_a_running_program_is_named_by_its_pid(lab, broker, program):
    program.connect(PUBLIC)
    verdict = broker.ask("explain", str(program.pid), CORPORATE)
    assert verdict["profile"] == "vpn-split"
    assert verdict["profile_from"] == "session"
    assert verdict["entry"]["interface"] == "vpn0"


def test_without_a_profile_the_system_decides(broker):
    verdict = broker.ask("explain", "curl", CORPORATE, "80")
    assert (verdict["action"], verdict["reason"]) == ("system", "no-profile")
    assert verdict["profile"] is None


@pytest.mark.parametrize("destination", ["10.0.0.0/8", "<10.0.0.1,>", "other.bundle"])
def test_what_is_no_address_is_refused(broker, destination):
    done = broker.pxctl("explain", "curl", destination, "80", check=False)
    assert done.returncode != 0
    assert destination in done.stderr
