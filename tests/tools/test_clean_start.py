# SPDX-License-Identifier: MIT
"""tools/clean-start: what ./check is started from must not change its result."""

import os
import pathlib
import pty
import signal
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
CLEAN_START = ROOT / "tools/clean-start"

CATCHABLE = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}


def run(*command, **options):
    done = subprocess.run(
        [CLEAN_START, *command], stdout=subprocess.PIPE, text=True, check=True, timeout=60, **options
    )
    return done.stdout


def test_signals_are_default_whatever_was_ignored_and_blocked():
    def spoil():
        for number in CATCHABLE:
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, CATCHABLE)

    status = run("cat", "/proc/self/status", preexec_fn=spoil)
    masks = dict(line.split(":\t") for line in status.splitlines() if line.startswith("Sig"))
    for name in ("SigBlk", "SigIgn"):
        assert int(masks[name], 16) == 0, name


@pytest.mark.parametrize("closed", [[0], [1], [2], [0, 1, 2]], ids=str)
def test_the_first_three_descriptors_are_open_and_no_other(closed, tmp_path):
    def spoil():
        os.dup2(1, 77)
        for number in closed:
            os.close(number)

    # The shell's own, listed by others.
    seen = tmp_path / "seen"
    script = f"ls /proc/$$/fd >{seen}; readlink /proc/$$/fd/0 >>{seen}; true"
    run("bash", "-c", script, preexec_fn=spoil, close_fds=False)
    assert seen.read_text().split() == ["0", "1", "2", "/dev/null"]


@pytest.mark.parametrize("interactive", [False, True], ids=["plain", "interactive"])
def test_standard_input_is_empty_unless_interactive(interactive):
    arguments = ["--interactive", "cat"] if interactive else ["cat"]
    assert run(*arguments, input="typed") == ("typed" if interactive else "")


def test_there_is_no_controlling_terminal():
    """Started by the leader of a terminal's session, as by an interactive shell."""
    script = f"{CLEAN_START} sh -c 'exec 3</dev/tty' 2>&1; echo status $?; echo done"
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp("bash", ["bash", "-c", script])
    said = b""
    while b"done" not in said:
        said += os.read(terminal, 4096)
    os.waitpid(pid, 0)
    os.close(terminal)
    assert b"/dev/tty" in said and b"status 0" not in said, said


def test_the_environment_is_cleaned(tmp_path):
    kept = {"CI": "true", "CXX": "ccache g++", "PX_BUILD": "/b", "PX_UML_SECONDS": "9"}
    dropped = {"MAKEFLAGS": "-j --jobserver-auth=3,4", "PX_PROFILE": "p", "LC_MESSAGES": "de_DE",
               "https_proxy": "http://[::1]:1/", "PYTEST_ADDOPTS": "-x", "PX_CLEAN_START": "1"}
    lines = run("env", env={**os.environ, **kept, **dropped}).splitlines()
    assert {f"{name}={value}" for name, value in kept.items()} <= set(lines)
    assert not {f"{name}={value}" for name, value in dropped.items()} & set(lines)
    assert "LC_ALL=C.UTF-8" in lines


def test_a_script_sees_by_its_own_number_that_it_was_started_so():
    assert run("sh", "-c", 'echo $(($$ - PX_CLEAN_START))').strip() == "0"


def test_the_umask_and_the_status_are_passed_on():
    assert run("sh", "-c", "umask", umask=0o77).strip() == "0022"
    assert subprocess.run([CLEAN_START, "sh", "-c", "exit 7"], check=False).returncode == 7
    assert subprocess.run([CLEAN_START], check=False, stderr=subprocess.PIPE).returncode == 2


@pytest.mark.parametrize("script", ["check", "demo", "tests/e2e/run", "tests/soak/run", "tests/uml/run"])
def test_every_script_that_runs_tests_starts_so(script):
    assert "tools/clean-start " in (ROOT / script).read_text(encoding="utf-8")
