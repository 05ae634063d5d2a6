# SPDX-License-Identifier: MIT
"""pxctl ps, status and watch: which programs run under px, and what happens."""

import json
import os
import select
import subprocess
import sys
import time

import pytest

from support.clients.running_program import RunningProgram
from support.lab.broker import POLICY
from support.lab.three_uplinks import CORPORATE, PUBLIC, UPLINKS
from support.programs import PXCTL
from support.servers.uplink_name_servers import name_servers
from support.unprivileged import build_for_all, other_user
from support.wait import Late, wait_until


class Watch:
    """pxctl watch --json: one event a line."""

    def __init__(self, lab, broker):
        self.process = lab.client.popen(
            [PXCTL, "watch", "--json"], env=broker.environment(), stdout=subprocess.PIPE
        )
        self.events = []
        # Its request has arrived once the broker has a connection more than before.
        wait_until(lambda: broker.ask("status")["connections"] == 2, "pxctl watch is connected")

    def next(self, name, deadline=10, **wanted):
        end = time.monotonic() + deadline
        while time.monotonic() < end:
            ready, _, _ = select.select([self.process.stdout], [], [], end - time.monotonic())
            if not ready:
                break
            event = json.loads(self.process.stdout.readline())
            self.events.append(event)
            if event["event"] == name and all(event[k] == v for k, v in wanted.items()):
                return event
        raise Late(f"no event {name} {wanted} in {self.events}")


def vpn_is_usable(broker):
    entries = broker.ask("paths")["entries"]
    return any(entry["usable"] for entry in entries if entry["interface"] == "vpn0")


def test_ps_shows_the_program_and_what_it_did(lab, broker, program):
    program.connect(CORPORATE)
    program.connect(PUBLIC)
    program.connect("10.8.0.2", port=9)
    lab.link_down("vpn")
    wait_until(lambda: not vpn_is_usable(broker), "the broker has seen it")
    program.connect(CORPORATE)
    line = broker.program(program.pid)
    assert line["exe"] == os.path.realpath(f"/proc/{program.pid}/exe")
    assert line["uid"] == 0 and line["profile"] == "vpn-split"
    assert (line["state"], line["why"]) == ("covered", None)
    assert (line["routed"], line["refused"]) == (2, 0)
    assert abs(line["since"] - time.time()) < 60
    assert str(program.pid) in broker.pxctl("ps").stdout


def test_ps_forgets_programs_that_ended(broker, program):
    program.connect(PUBLIC)
    assert broker.program(program.pid)
    program.process.stdin.close()
    assert program.process.wait(timeout=10) == 0
    wait_until(lambda: broker.program(program.pid) is None, "the session is gone")


def test_a_launched_program_that_did_not_connect_yet(broker, program):
    line = wait_until(lambda: broker.program(program.pid), "px-exec has said Launch")
    assert line["state"] == "launched"


def test_status(broker, program):
    program.connect(PUBLIC)
    status = broker.ask("status")
    assert status["pid"] == broker.pid
    assert status["socket"] == str(broker.socket)
    assert status["config"] == [str(broker.config)]
    assert status["generation"] == 1
    assert status["last_reload"]["ok"] is True
    assert status["sessions"] == 1
    profiles = {profile["name"]: profile for profile in status["profiles"]}
    assert set(profiles) == {"vpn-split", "lan-only", "empty"}
    assert profiles["vpn-split"]["programs"] == 1
    assert profiles["vpn-split"]["rules"] == 2
    assert broker.reload(POLICY).returncode == 0
    assert broker.ask("status")["generation"] == 2


def test_watch_tells_what_happens(lab, broker):
    watch = Watch(lab, broker)
    program = RunningProgram(lab, broker)
    program.connect(CORPORATE)
    started = watch.next("started", pid=program.pid)
    assert started["profile"] == "vpn-split"
    counted = watch.next("counters", pid=program.pid, routed=1)
    assert counted["unavailable"] == 0
    assert broker.reload(POLICY).returncode == 0
    assert watch.next("policy")["ok"] is True
    assert broker.reload("version: 2\n").returncode == 1
    refused = watch.next("policy", ok=False)
    assert f"{broker.config}:1:" in refused["errors"][0]
    before = len([entry for entry in broker.ask("paths")["entries"] if entry["usable"]])
    lab.link_down("vpn")
    assert watch.next("paths")["usable"] < before
    program.process.stdin.close()
    program.process.wait(timeout=10)
    watch.next("ended", pid=program.pid)


def test_names_are_counted(lab):
    vpn = UPLINKS[2]
    dns = f"dns: {{ via: vpn, servers: [{vpn.gateway}] }}"
    policy = f"""version: 1
paths: {{ vpn: {{ interface: vpn0 }} }}
profiles: {{ work: {{ {dns} }} }}
"""
    hosts = {"lan": "", "lte": "", "vpn": f"{CORPORATE} www.test\n"}
    with name_servers(lab, hosts), lab.serving(policy) as broker:
        watch = Watch(lab, broker)
        code = "import socket; socket.gethostbyname('www.test'); input()"
        program = lab.px_popen(broker, [sys.executable, "-c", code], "work", stdin=-1)
        watch.next("counters", pid=program.pid, names=1, names_failed=0)
        assert broker.program(program.pid)["names"] == 1
        program.communicate("\n")


def test_watch_does_not_hold_the_broker_up(lab, broker, program):
    watch = Watch(lab, broker)
    watch.process.send_signal(subprocess.signal.SIGSTOP)
    for _ in range(50):
        assert broker.reload(POLICY).returncode == 0
        assert program.connect(PUBLIC).source == "100.64.2.2"
    watch.process.kill()


@pytest.fixture
def stranger(lab, broker):
    """pxctl as another user."""
    words = [*other_user(), build_for_all() / "cli/pxctl"]
    return lambda *more: lab.client.run([*words, *more], check=False, env=broker.environment())


def test_others_see_only_their_own_and_may_not_reload(broker, program, stranger):
    program.connect(PUBLIC)
    assert broker.program(program.pid)
    assert json.loads(stranger("ps", "--json").stdout)["programs"] == []
    assert json.loads(stranger("paths", "--json").stdout)["entries"]
    refused = stranger("reload")
    assert refused.returncode == 1
    assert broker.ask("status")["generation"] == 1


def test_without_a_broker_it_is_said(lab, broker):
    broker.kill()
    done = broker.pxctl("ps", check=False)
    assert done.returncode == 3
    assert str(broker.socket) in done.stderr
