# SPDX-License-Identifier: MIT
"""px-exec's transparency in a terminal: job control of an interactive shell, with the program bare,
with the lab's broker, and with a private one, which must keep out of the terminal."""

import os
import re
import signal
import sys

import pytest

from support.lab.three_uplinks import CORPORATE
from support.launchers import lab, launching  # noqa: F401
from support.processes import command_of, processes_where, state
from support.programs import PX_EXEC
from support.terminal import Terminal
from support.wait import wait_until

PROMPT = "ready> "
GROUP, SESSION = 5, 6  # fields of /proc/PID/stat
SHELL = ["bash", "--norc", "--noprofile", "--noediting", "-i"]


def terminal(lab, argv):
    environment = {**os.environ, "PS1": PROMPT, "TERM": "dumb", "HISTFILE": "", "LC_ALL": "C"}
    return Terminal(lab.client.command(argv), environment)


@pytest.fixture
def shell(lab):
    with terminal(lab, SHELL) as shell:
        assert "no job control" not in shell.read_until(PROMPT)
        yield shell


@pytest.fixture(scope="module", params=["bare", "broker", "private"])
def px(request, lab):
    """The words before a program, as typed; the bare run shows what is right."""
    with launching(lab, request.param) as words:
        yield " ".join([*map(str, words), ""])


def answer(shell, line):
    """The output of a line typed at the prompt."""
    shell.type(line + "\n")
    return shell.read_until(PROMPT)


def status(shell):
    shell.type("echo status $?\n")
    shell.read_until("\nstatus ")
    return int(shell.read_until(PROMPT).split()[0])


@pytest.mark.parametrize("key, number", [("\x03", signal.SIGINT), ("\x1c", signal.SIGQUIT)])
def test_a_key_ends_the_program(shell, px, key, number):
    answer(shell, "ulimit -c 0")
    shell.type(f"{px}sleep 1000\n")
    shell.foreground_is("sleep")
    shell.type(key)
    shell.read_until(PROMPT)
    assert status(shell) == 128 + number
    assert shell.foreground() == shell.pid


def test_stopping_and_going_on(shell, px):
    shell.type(f"{px}sleep 1000\n")
    program = shell.foreground_is("sleep")
    shell.type("\x1a")
    assert "Stopped" in shell.read_until(PROMPT)
    assert status(shell) == 128 + signal.SIGTSTP
    assert state(program) == "T"
    assert shell.foreground() == shell.pid
    assert "Stopped" in answer(shell, "jobs")
    answer(shell, "bg")
    wait_until(lambda: state(program) == "S", "it goes on")
    assert "Running" in answer(shell, "jobs")
    shell.type("fg\n")
    wait_until(lambda: shell.foreground() == program, "it is in the foreground")
    shell.type("\x03")
    shell.read_until(PROMPT)
    assert status(shell) == 130


def test_the_program_alone_is_in_the_foreground(shell, px):
    shell.type(f"{px}sleep 1000\n")
    program = shell.foreground_is("sleep")
    assert processes_where(GROUP, program) == [program]
    assert sorted(processes_where(SESSION, shell.pid)) == sorted([shell.pid, program])
    shell.type("\x03")
    shell.read_until(PROMPT)


def test_a_pipeline_is_one_job(shell, px):
    shell.type(f"{px}sleep 1000 | {px}cat\n")
    group = shell.foreground_is("sleep")
    wait_until(
        lambda: sorted(map(command_of, processes_where(GROUP, group))) == ["cat", "sleep"],
        "both are in its group",
    )
    shell.type("\x1a")
    assert "Stopped" in shell.read_until(PROMPT)
    shell.type("fg\n")
    wait_until(lambda: shell.foreground() == group, "it is in the foreground")
    shell.type("\x03")
    shell.read_until(PROMPT)
    assert status(shell) == 130


def test_what_reads_in_the_background_is_stopped(shell, px):
    answer(shell, f"{px}cat &")
    # In between the shell may report that the job is stopped.
    program = int(re.search(r"pid (\d+)", answer(shell, "echo pid $!"))[1])
    wait_until(lambda: state(program) == "T", "it is stopped")
    shell.type("fg\n")
    wait_until(lambda: shell.foreground() == program, "it is in the foreground")
    shell.type("line\n")
    shell.read_until("line\r\nline\r\n")
    shell.type("\x04")
    shell.read_until(PROMPT)
    assert status(shell) == 0


def test_the_program_reads_keys_and_sets_the_terminal(shell, px):
    script = "import tty; tty.setcbreak(0); print('key?'); print(ord(open(0, 'rb', 0).read(1)))"
    shell.type(f'{px}{sys.executable} -I -c "{script}"\n')
    shell.read_until("\nkey?")
    shell.type("x")
    assert shell.read_until(PROMPT).split() == ["120"]


def test_hanging_up(lab, px):
    with terminal(lab, SHELL) as shell:
        shell.read_until(PROMPT)
        shell.type(f"{px}sleep 1000\n")
        program = shell.foreground_is("sleep")
        shell.hang_up()
    wait_until(lambda: command_of(program) != "sleep", "the program was hung up on")
    wait_until(lambda: not processes_where(SESSION, shell.pid), "nothing of the session is left")


def test_a_shell_under_px_that_leads_the_terminal(lab):
    """As `px-exec ... bash` in a new window: with job control, and its jobs under px."""
    with terminal(lab, [PX_EXEC, "--via", "vpn0", *SHELL]) as shell:
        assert "no job control" not in shell.read_until(PROMPT)
        assert "10.8.0.2 " in answer(shell, f"curl -sS http://{CORPORATE}/")
        shell.type("sleep 1000\n")
        shell.foreground_is("sleep")
        shell.type("\x1a")
        assert "Stopped" in shell.read_until(PROMPT)
        assert "10.8.0.2 " in answer(shell, f"curl -sS http://{CORPORATE}/ & wait $!")
        shell.type("fg\n")
        shell.foreground_is("sleep")
        shell.type("\x03")
        shell.read_until(PROMPT)
        shell.type("exit 7\n")
        assert shell.end() == 7
