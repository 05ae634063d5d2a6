# SPDX-License-Identifier: MIT
"""pxctl audit: programs that run already, or begin while it counts."""

import json
import subprocess

import pytest

from support.auditing import Auditing
from support.clients.running_program import RunningProgram
from support.lab.three_uplinks import PUBLIC, PUBLIC6
from support.programs import PXCTL, program_file
from support.unprivileged import build_for_all, other_user

# Opens a socket, waits for a line, and sends.
EARLIER = f"exec 3<>/dev/udp/{PUBLIC}/7777; echo open; read -r _; echo x >&3; read -r _"
LEAK = f"read -r _; env -u LD_PRELOAD ping -c1 {PUBLIC} >/dev/null; read -r _"


@pytest.fixture
def other(lab, broker):
    return RunningProgram(lab, broker, "lan-only")


def shell(lab, broker, script, profile="vpn-split"):
    return lab.px_popen(
        broker, ["bash", "-c", script], profile, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )


def go_on(process):
    process.stdin.write("\n")
    process.stdin.flush()


def test_a_clean_program(lab, broker, program):
    auditing = Auditing(lab, broker)
    program.connect(PUBLIC)
    program.connect(PUBLIC6)
    status, verdict = auditing.end()
    assert status == 0
    assert verdict["clean"]
    seen = {(flow["pid"], flow["destination"], flow["interface"]) for flow in verdict["flows"]}
    assert seen == {(program.pid, PUBLIC, "lte0"), (program.pid, PUBLIC6, "lte0")}


def test_a_leak_is_named_within_a_second(lab, broker):
    leaking = shell(lab, broker, LEAK)
    auditing = Auditing(lab, broker)
    go_on(leaking)
    assert auditing.heard.hear('"other-interface"', seconds=1.0)
    status, verdict = auditing.end()
    assert status == 1
    (flow,) = verdict["flows"]
    assert (flow["command"], flow["protocol"], flow["interface"]) == ("ping", "icmp", "lan0")
    assert flow["profile"] == "vpn-split"


def test_a_socket_from_before(lab, broker):
    earlier = shell(lab, broker, EARLIER)
    assert earlier.stdout.readline() == "open\n"
    auditing = Auditing(lab, broker)
    go_on(earlier)
    go_on(earlier)
    earlier.wait(timeout=10)
    status, verdict = auditing.end()
    assert status == 0
    (flow,) = verdict["flows"]
    assert (flow["pid"], flow["packets"], flow["verdict"]) == (earlier.pid, 1, "explained")


def test_one_profile_or_program(lab, broker, program, other):
    def seen(*words):
        auditing = Auditing(lab, broker, *words)
        program.connect(PUBLIC)
        other.connect(PUBLIC)
        return {flow["pid"] for flow in auditing.end()[1]["flows"]}

    assert seen() == {program.pid, other.pid}
    assert seen("lan-only") == {other.pid}
    assert seen(str(program.pid)) == {program.pid}


def test_programs_that_are_not_under_px(lab, broker):
    auditing = Auditing(lab, broker)
    lab.client.run([program_file("udp_connected"), PUBLIC, "7777"])
    assert auditing.end()[1]["flows"] == []


def test_for_a_time(lab, broker):
    done = broker.pxctl("audit", "--for", "200ms", "--json")
    assert json.loads(done.stdout.splitlines()[-1])["clean"]
    text = broker.pxctl("audit", "--for", "200ms").stdout
    assert "the plan explains all of them" in text and "not seen: " in text
    done = broker.pxctl("audit", "--for", "soon", check=False)
    assert done.returncode == 2
    assert "500ms, 60s, 5m or 1h" in done.stderr


def test_without_root(lab, broker):
    pxctl = build_for_all() / "cli/pxctl"
    words = [*other_user(), pxctl, "audit", "--json"]
    done = lab.client.run(words, check=False, env=broker.environment())
    assert done.returncode == 4
    assert "for root" in json.loads(done.stdout)["error"]


def test_without_a_broker(lab):
    missing = str(lab.directory / "none")
    done = lab.client.run([PXCTL, "--socket", missing, "audit"], check=False)
    assert done.returncode == 3
    assert missing in done.stderr
