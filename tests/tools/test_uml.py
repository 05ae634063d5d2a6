# SPDX-License-Identifier: MIT
"""tools/uml: when a kernel is ended, and with which status. The kernel is a script."""

import os
import pathlib
import subprocess
import time

import pytest

UML = pathlib.Path(__file__).resolve().parents[2] / "tools/uml"

# Knows where it may leave the command's status, as init does.
KERNEL = """#!/bin/bash
for argument in "$@"; do case $argument in uml_dir=*) work=${{argument#*=}} ;; esac; done
{body}
"""


@pytest.fixture
def uml(tmp_path):
    def run(body, **variables):
        kernel = tmp_path / "linux.uml"
        kernel.write_text(KERNEL.format(body=body))
        kernel.chmod(0o755)
        path = f"{tmp_path}:{os.environ['PATH']}"
        environment = {**os.environ, "PATH": path, "TMPDIR": str(tmp_path), **variables}
        return subprocess.run(
            [UML, "true"], env=environment, capture_output=True, text=True, timeout=60
        )

    return run


def groups():
    """The process groups that have a process which lives."""
    listed = subprocess.run(["ps", "-eo", "pgid=,stat="], stdout=subprocess.PIPE, text=True)
    processes = [line.split() for line in listed.stdout.splitlines()]
    return {group for group, state in processes if state[0] != "Z"}


def test_the_command_s_status_and_words_are_passed_on(uml):
    body = r"printf 'one\r\ntwo\r\nreboot: Power down\r\nrest'; echo 7 >$work/status"
    done = uml(body)
    assert (done.returncode, done.stdout, done.stderr) == (7, "one\ntwo\nrest", "")


def test_a_silent_kernel_is_ended_with_all_its_processes(uml, tmp_path):
    body = f"echo $$ >{tmp_path}/group; printf 'one\ntw'; sleep 1000 & wait"
    done = uml(body, PX_UML_SECONDS="1")
    assert done.returncode == 1
    assert done.stdout == "one\ntw\n"
    assert "has said nothing for 1 seconds: true" in done.stderr
    group = (tmp_path / "group").read_text().strip()
    deadline = time.monotonic() + 10
    while group in groups():
        assert time.monotonic() < deadline
    assert not list(tmp_path.glob("px-uml.*"))


def test_a_kernel_that_ends_too_early_is_a_failure(uml):
    done = uml("echo panic >&2")
    assert done.returncode == 1
    assert "panic" in done.stderr and "did not come to the end of: true" in done.stderr
