# SPDX-License-Identifier: MIT
"""Profiles that programs get without px-exec: by executable, user, cgroup, or from a parent."""

import os
import pathlib
import shutil
import socket
import subprocess
import sys

import pytest

from support import wire
from support.clients.running_program import RunningProgram
from support.lab.broker import POLICY, Broker
from support.lab.isolation import RUN
from support.lab.three_uplinks import CORPORATE, PUBLIC
from support.processes import descriptors
from support.programs import CLIENTS, LIBPX, PXD, program_file
from support.tracing import comparable, from_first_socket, strace
from support.unprivileged import build_for_all, other_user
from support.wait import wait_until

BIN = RUN / "bin"
INTERPRETERS = ("keeper", "loner")

PROFILES = f"""
  by-lte:
    rules: [ {{ to: any, via: lte }} ]
  tool:
    match: [ {{ exe: "{BIN}/tool" }} ]
    rules: [ {{ to: any, via: vpn }} ]
  keeper:
    match: [ {{ exe: "{BIN}/keep*" }} ]
    rules: [ {{ to: any, via: lte }} ]
  loner:
    match: [ {{ exe: "{BIN}/loner" }} ]
    inherit: false
    rules: [ {{ to: any, via: lte }} ]
"""


@pytest.fixture(autouse=True)
def programs(lab):
    """Copies of programs, so that each has an executable of its own."""
    shutil.rmtree(BIN, ignore_errors=True)
    BIN.mkdir()
    for name in ("tool", "other", "keep-connect"):
        shutil.copy(program_file("connect_twice"), BIN / name)
    shutil.copy(program_file("fork_connect"), BIN / "tool-fork")
    for name in INTERPRETERS:
        shutil.copy(os.path.realpath(sys.executable), BIN / name)


@pytest.fixture
def broker(lab):
    with lab.serving(POLICY + PROFILES) as broker:
        yield broker


def preloaded(broker, **more):
    return broker.environment(LD_PRELOAD=str(LIBPX), **more)


def connect(lab, broker, name="tool", destination=PUBLIC, words=(), **more):
    """The uplinks that it left by."""
    lab.flows.reset()
    lab.client.run([*words, BIN / name, destination, "80"], env=preloaded(broker, **more))
    return set(lab.flows.left(destination))


@pytest.mark.routes
def test_by_executable(lab, broker):
    assert connect(lab, broker) == {"vpn0"}
    assert connect(lab, broker, "keep-connect") == {"lte0"}
    assert connect(lab, broker, "other") == {"lan0"}


def test_it_is_shown(lab, broker):
    keeper = RunningProgram.preloaded(lab, broker, BIN / "keeper")
    assert keeper.connect(PUBLIC).source == "100.64.2.2"
    line = broker.program(keeper.pid)
    assert line["profile"] == "keeper"
    assert (line["state"], line["origin"], line["routed"]) == ("covered", "matched", 1)
    assert line["exe"] == str(BIN / "keeper")


def test_never_by_the_name_alone(lab, broker):
    link = BIN / "alias"
    link.symlink_to("other")
    renamed = ["bash", "-c", f'exec -a {BIN}/tool "$0" "$@"']
    assert connect(lab, broker, "other", words=renamed) == {"lan0"}
    assert connect(lab, broker, "alias") == {"lan0"}
    link.unlink()
    link.symlink_to("tool")
    assert connect(lab, broker, "alias") == {"vpn0"}


def test_an_update_of_the_file_changes_nothing_for_running_programs(lab, broker):
    keeper = RunningProgram.preloaded(lab, broker, BIN / "keeper")
    keeper.order("127.0.0.1", port=9)
    assert keeper.answer().error == "ECONNREFUSED"  # it runs
    (BIN / "keeper").unlink()
    assert keeper.connect(PUBLIC).source == "100.64.2.2"


def test_threads_that_ask_at_once(lab, broker):
    shutil.copy(program_file("thread_connect"), BIN / "tool")
    done = lab.client.run([BIN / "tool", "16", PUBLIC, "80"], env=preloaded(broker))
    assert done.stdout.split() == ["10.8.0.2"] * 16
    assert lab.flows.left(PUBLIC) == {"vpn0": 16}


def test_it_is_explained(lab, broker):
    answer = broker.ask("explain", str(BIN / "tool"), PUBLIC)
    assert (answer["profile"], answer["profile_from"]) == ("tool", "match")
    bare = lab.client.popen([BIN / "keeper", "-c", "input()"], stdin=subprocess.PIPE)
    wait_until(lambda: broker.program(bare.pid), "it runs")
    answer = broker.ask("explain", str(bare.pid), PUBLIC)
    assert (answer["profile"], answer["profile_from"]) == ("keeper", "match")
    assert "which matches it" in broker.pxctl("explain", str(BIN / "tool"), PUBLIC).stdout


def test_the_kernels_word_counts_for_more_than_the_programs(broker):
    """A hello that carries another program's file is not believed."""
    descriptor = os.open(BIN / "tool", os.O_PATH)
    with wire.connect(broker.socket) as sock:
        wire.send_with_descriptors(sock, wire.hello(b""), [descriptor])
        data, descriptors, _, _ = socket.recv_fds(sock, 4096, 8)
    os.close(descriptor)
    assert b"tool" not in data and not descriptors


def test_by_user(lab, broker):
    mine = "  mine: { match: [ { user: 65534 } ], rules: [ { to: any, via: vpn } ] }\n"
    assert broker.reload(POLICY + mine).returncode == 0
    words = [*other_user(), "env", f"LD_PRELOAD={build_for_all()}/preload/libpx.so"]
    assert connect(lab, broker, "other") == {"lan0"}
    lab.flows.reset()
    lab.client.run([*words, BIN / "other", PUBLIC, "80"], env=broker.environment())
    assert set(lab.flows.left(PUBLIC)) == {"vpn0"}


def test_by_cgroup(lab, broker):
    lines = pathlib.Path("/proc/self/cgroup").read_text().splitlines()
    path = next(line[3:] for line in lines if line.startswith("0::"))
    profile = '  here: {{ match: [ {{ cgroup: "{}" }} ], rules: [ {{ to: any, via: vpn }} ] }}\n'
    assert broker.reload(POLICY + profile.format(path)).returncode == 0
    assert connect(lab, broker, "other") == {"vpn0"}
    assert broker.reload(POLICY + profile.format("/elsewhere/**")).returncode == 0
    assert connect(lab, broker, "other") == {"lan0"}


def test_what_matches_nothing_gets_the_default(lab, broker):
    broker.reload(POLICY + PROFILES + "default-profile: by-lte\n")
    assert connect(lab, broker, "other") == {"lte0"}
    assert connect(lab, broker) == {"vpn0"}


def test_a_match_before_the_environment_before_nothing(lab, broker):
    assert connect(lab, broker, PX_PROFILE="lan-only") == {"vpn0"}
    assert connect(lab, broker, PX_PROFILE="empty") == {"vpn0"}
    assert connect(lab, broker, "other", PX_PROFILE="by-lte") == {"lte0"}
    done = lab.client.run([BIN / "other", PUBLIC, "80"], env=preloaded(broker, PX_PROFILE="no"))
    assert "ENETUNREACH" in done.stdout and "no profile named 'no'" in done.stderr


def test_px_exec(lab, broker):
    """Its profile is for the program itself; children match, or inherit."""
    lab.px(broker, [BIN / "tool", PUBLIC, "80"], "by-lte")
    assert set(lab.flows.left(PUBLIC)) == {"lte0"}
    lab.flows.reset()
    lab.px(broker, ["sh", "-c", f"{BIN}/tool {PUBLIC} 80; {BIN}/other {CORPORATE} 80"], "by-lte")
    assert set(lab.flows.left(PUBLIC)) == {"vpn0"}
    assert set(lab.flows.left(CORPORATE)) == {"lte0"}
    lab.flows.reset()
    lab.px(broker, [BIN / "tool", PUBLIC, "80"], None)
    assert set(lab.flows.left(PUBLIC)) == {"vpn0"}


@pytest.mark.parametrize("connected", [True, False], ids=["said-hello", "silent"])
@pytest.mark.parametrize("how", ["fork", "vfork", "posix_spawn", "exec"])
@pytest.mark.parametrize(
    "parent, child, interface",
    [
        ("keeper", "other", "lte0"),  # inherits
        ("keeper", "tool", "vpn0"),  # matches anew
        ("loner", "other", "lan0"),  # is not to inherit
        ("loner", "tool", "vpn0"),
    ],
)
def test_children(lab, broker, parent, child, how, connected, interface):
    before = ["connect", CORPORATE, "80"] if connected else []
    lab.client.run(
        [BIN / parent, "-I", CLIENTS / "spawner.py", *before, how, BIN / child, PUBLIC, "80"],
        env=preloaded(broker),
    )
    assert set(lab.flows.left(CORPORATE)) == ({"lte0"} if connected else set())
    # The broker never saw a program that became another one before its hello.
    unseen = how == "exec" and not connected
    expected = "lan0" if unseen and child == "other" else interface
    assert set(lab.flows.left(PUBLIC)) == {expected}


def test_forks_of_a_matched_program_go_on(lab, broker):
    shutil.move(BIN / "tool-fork", BIN / "tool")
    assert connect(lab, broker) == {"vpn0"}
    assert lab.flows.per_interface("syn", PUBLIC) == {"vpn0": 3}


@pytest.mark.routes
def test_a_changed_match_reaches_programs_that_came_by_it(lab, broker):
    keeper = RunningProgram.preloaded(lab, broker, BIN / "keeper")
    launched = RunningProgram(lab, broker, "by-lte")
    for program in (keeper, launched):
        assert program.connect(PUBLIC).source == "100.64.2.2"
    changed = (POLICY + PROFILES).replace(f"{BIN}/tool", "/nowhere/tool")
    changed = changed.replace(f"{BIN}/keep*", f"{BIN}/tool")
    changed = changed.replace("/nowhere/tool", f"{BIN}/keep*")
    assert broker.reload(changed).returncode == 0
    assert keeper.connect(PUBLIC).source == "10.8.0.2"
    assert launched.connect(PUBLIC).source == "100.64.2.2"
    assert broker.program(keeper.pid)["profile"] == "tool"
    # Now nothing matches it: it is unsteered, and no longer under px.
    assert broker.reload(POLICY).returncode == 0
    assert keeper.connect(PUBLIC).source == "192.168.1.2"
    assert broker.program(keeper.pid) is None


def test_a_restarted_broker_finds_programs_that_came_by_a_match(lab, broker):
    keeper = RunningProgram.preloaded(lab, broker, BIN / "keeper")
    assert keeper.connect(PUBLIC).source == "100.64.2.2"
    broker.kill()
    assert keeper.connect(PUBLIC).source == "100.64.2.2"
    broker.restart()
    assert keeper.connect(PUBLIC).source == "100.64.2.2"
    assert broker.program(keeper.pid)["origin"] == "matched"


def test_uncovered_programs_are_shown(lab, broker):
    """Programs that a profile matches, but that run without libpx.so."""
    bare = lab.client.popen([BIN / "keeper", "-c", "input()"], stdin=subprocess.PIPE)
    covered = RunningProgram.preloaded(lab, broker, BIN / "keeper")
    line = wait_until(lambda: broker.program(bare.pid), "the uncovered program is shown")
    assert (line["state"], line["profile"], line["origin"]) == ("uncovered", "keeper", "matched")
    assert line["exe"] == str(BIN / "keeper")
    assert broker.ask("ps")["unseen"] == 0
    assert covered.connect("127.0.0.1", port=9).error == "ECONNREFUSED"
    assert broker.program(covered.pid) is None, "it has had nothing to ask"
    table = broker.pxctl("ps").stdout
    assert "uncovered" in table and "it runs without libpx.so" in table


def test_programs_of_other_networks_are_not_its_own(lab, broker):
    """No policy of this broker's is in force there."""
    words = [BIN / "keeper", "-c", "input()"]
    elsewhere = lab.server.popen(words, stdin=subprocess.PIPE)
    here = lab.client.popen(words, stdin=subprocess.PIPE)
    wait_until(lambda: elsewhere_runs(elsewhere), "the other program runs")
    wait_until(lambda: broker.program(here.pid), "the program here is shown")
    assert broker.program(elsewhere.pid) is None


def elsewhere_runs(process):
    return os.readlink(f"/proc/{process.pid}/exe") == str(BIN / "keeper")


class OthersBroker(Broker):
    """Runs as another user than its programs."""

    command = ()

    def start(self):
        os.chown(self.directory, 65534, 65534)
        self.directory.chmod(0o755)
        super().start()


def test_a_broker_that_may_not_look_into_the_program(lab, monkeypatch):
    pxd = build_for_all() / "broker/daemon/pxd"
    script = lab.directory / "pxd-as-other"
    script.write_text("#!/bin/sh\nexec " + " ".join([*other_user(), str(pxd)]) + ' "$@"\n')
    script.chmod(0o755)
    monkeypatch.setattr("support.lab.broker.PXD", script)
    broker = OthersBroker(lab.client, lab.directory / "other", POLICY + PROFILES)
    keeper = RunningProgram.preloaded(lab, broker, BIN / "keeper")
    assert keeper.connect(PUBLIC).source == "100.64.2.2"
    line = broker.program(keeper.pid)
    assert (line["profile"], line["exe"]) == ("keeper", str(BIN / "keeper"))
    report = broker.ask("ps")
    assert report["unseen"] > 0
    assert "of other users cannot be seen" in broker.pxctl("ps").stdout
    assert PXD != script
    assert broker.stop() == 0


def attempts_at(lines, socket):
    return [line for line in lines if "connect(" in line and str(socket) in line]


def test_without_a_broker_it_costs_one_attempt(lab):
    argv = [program_file("connect_twice"), PUBLIC, "80"]
    words = ["env", f"LD_PRELOAD={LIBPX}", "PX_SOCKET=/nonexistent/px.sock"]
    lines = strace(lab.client, argv, lambda command: lab.client.run([*words, *command]))
    assert len(attempts_at(lines, "/nonexistent/px.sock")) == 1
    bare = lab.client.run(argv)
    alone = lab.client.run([*words, *argv])
    assert (alone.stdout, alone.stderr) == (bare.stdout, bare.stderr)
    second = [n for n, line in enumerate(lines) if line.startswith("socket(AF_INET")][1]
    after = comparable(lines[second:])
    own = comparable(from_first_socket(strace(lab.client, argv)))
    assert after == own[-len(after) :]


def test_a_program_without_a_profile_asks_once(lab, broker):
    argv = [BIN / "other", PUBLIC, "80"]
    words = broker.preload_words()
    lines = strace(lab.client, argv, lambda command: lab.client.run([*words, *command]))
    assert len(attempts_at(lines, broker.socket)) == 1


def test_the_executable_is_not_left_open(lab, broker):
    keeper = RunningProgram.preloaded(lab, broker, BIN / "keeper")
    keeper.connect("127.0.0.1")  # it runs now, and has not asked the broker
    before = len(descriptors(keeper.pid))
    assert keeper.connect(PUBLIC).source == "100.64.2.2"
    assert len(descriptors(keeper.pid)) == before
