# SPDX-License-Identifier: MIT
"""px leaves nothing in a program. A second connect is two options, the bind, and the connect."""

import os

import pytest

from support.clients.running_program import RunningProgram
from support.lab.three_uplinks import CORPORATE, CORPORATE6, PUBLIC
from support.processes import descriptors, run, threads
from support.programs import LIBPX, program_file
from support.tracing import names, strace


def test_the_same_descriptors_and_threads(lab, broker, program):
    bare = RunningProgram(lab, None)
    for client in (bare, program):
        assert client.connect(PUBLIC).error is None
        assert client.connect(CORPORATE, transport="udp").error is None
    assert descriptors(program.pid) == descriptors(bare.pid)
    assert threads(program.pid) == threads(bare.pid)
    assert broker.program(program.pid)["routed"] == 2


def test_a_program_that_counts_sees_no_difference(lab, broker):
    argv = [program_file("fd_thread_count"), PUBLIC, "80"]
    bare, routed = lab.client.run(argv), lab.px(broker, argv)
    assert routed.stdout.splitlines()[0] == "connect: 100.64.2.2"
    assert routed.stdout.splitlines()[1:] == bare.stdout.splitlines()[1:]
    assert (routed.returncode, routed.stderr) == (bare.returncode, bare.stderr)


@pytest.mark.parametrize("destination", [CORPORATE, CORPORATE6])
def test_the_second_connect_is_only_what_it_must_be(lab, broker, destination):
    argv = [program_file("connect_twice"), destination, "80"]
    lines = strace(lab.client, argv, lambda command: lab.px(broker, command))
    opened = [n for n, line in enumerate(lines) if line.startswith("socket(AF_INET")]
    connected = [n for n, line in enumerate(lines) if "htons(80)" in line]
    assert len(opened) == len(connected) == 2
    second = lines[opened[1] + 1 : connected[1] + 1]
    calls = names(second)
    assert sorted(calls) == ["bind", "connect", "setsockopt", "setsockopt"], second
    assert calls[-1] == "connect"
    assert any("SO_BINDTO" in line for line in second)
    assert any("BIND_ADDRESS_NO_PORT" in line for line in second)


def test_the_library_needs_libc_alone():
    dynamic = run(["readelf", "--dynamic", LIBPX]).stdout
    needed = [line.split("[")[1].rstrip("]") for line in dynamic.splitlines() if "(NEEDED)" in line]
    assert set(needed) <= {"libc.so.6", "ld-linux-x86-64.so.2"}


def test_the_plan_is_the_only_thing_mapped_and_cannot_be_written(program):
    program.connect(PUBLIC)
    with open(f"/proc/{program.pid}/maps", encoding="utf-8") as maps:
        plans = [line.split() for line in maps if ".plan" in line or "plan-v3" in line]
    assert plans
    assert all("w" not in fields[1] for fields in plans)


def test_the_working_directory_is_not_held(lab, broker, program):
    program.connect(PUBLIC)
    assert broker.program(program.pid)["routed"] == 1
    links = [os.readlink(f"/proc/{program.pid}/fd/{fd}") for fd in descriptors(program.pid)]
    assert not [link for link in links if str(broker.directory) in link]
