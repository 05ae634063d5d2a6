# SPDX-License-Identifier: MIT
"""PX-8: programs in which the library cannot act are refused with a reason, not run silently."""

import shutil
import subprocess

import pytest

from support.lab.three_uplinks import CORPORATE
from support.processes import run
from support.programs import PX_EXEC, ROOT
from support.unprivileged import build_for_all, other_user
from support.wait import wait_until

SOURCE = ROOT / "tests/programs/connect_twice.c"


def compiled(directory, compiler, *flags):
    path = directory / f"connect-{compiler}{''.join(flags)}"
    run([compiler, "-D_GNU_SOURCE", *flags, "-o", path, SOURCE])
    return path


def refused(lab, broker, path):
    done = lab.px(broker, [path, CORPORATE, "80"], check=False)
    assert done.returncode == 125
    assert done.stdout == ""
    assert lab.flows.left(CORPORATE) == {}
    assert str(path) in done.stderr
    return done.stderr


# musl has no strerrorname_np, which connect_twice needs.
MUSL = "int main(void) { return 0; }\n"


def test_static_programs(lab, broker):
    path = compiled(lab.directory, "gcc", "-static")
    assert "static" in refused(lab, broker, path)


def test_programs_of_another_libc(lab, broker):
    source = lab.directory / "musl.c"
    source.write_text(MUSL)
    path = lab.directory / "musl"
    run(["musl-gcc", "-o", path, source])
    assert "musl" in refused(lab, broker, path)


def test_set_user_id_programs(lab, broker):
    caller = other_user()
    path = lab.directory / "setuid"
    shutil.copy("/usr/bin/true", path)
    path.chmod(0o4755)
    words = [word for word in caller if word != "--no-new-privs"]
    px_exec = build_for_all() / "cli/px-exec"
    done = lab.client.run(
        [*words, px_exec, "--profile", "vpn-split", "--", path],
        check=False,
        env=broker.environment(),
    )
    assert done.returncode == 125
    assert "set-user-ID" in done.stderr


def test_scripts_of_what_is_not_covered(lab, broker):
    binary = compiled(lab.directory, "gcc", "-static")
    script = lab.directory / "script"
    script.write_text(f"#!{binary}\n")
    script.chmod(0o755)
    assert "static" in refused(lab, broker, script)


def test_allow_uncovered_runs_it_and_says_so(lab, broker):
    path = compiled(lab.directory, "gcc", "-static")
    words = ["--allow-uncovered"]
    done = lab.px(broker, [path, CORPORATE, "80"], words=words)
    assert done.stdout == "first: 192.168.1.2\nsecond: 192.168.1.2\n"
    assert "static" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def announced(broker, pid):
    """What ps says of a program that px-exec has announced. A program that is started while ps looks
    around is one that only /proc tells of, by its environment."""
    line = broker.program(pid)
    return line if line and line["origin"] != "environment" else None


def test_an_uncovered_program_is_shown_as_such(lab, broker):
    source = lab.directory / "wait.c"
    source.write_text("#include <unistd.h>\nint main(void) { char c; return read(0, &c, 1); }\n")
    path = lab.directory / "wait"
    run(["gcc", "-static", "-o", path, source])
    process = lab.client.popen(
        [PX_EXEC, "--profile", "vpn-split", "--allow-uncovered", "--", path],
        env=broker.environment(),
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert "static" in process.stderr.readline()
    line = wait_until(lambda: announced(broker, process.pid), "it is announced")
    assert line["state"] == "uncovered"
    assert "static" in line["why"]
    assert "uncovered" in broker.pxctl("ps").stdout
    process.stdin.close()
    assert process.wait(timeout=10) == 0


@pytest.mark.parametrize("missing", ["/nonexistent/program", "no-such-program"])
def test_a_program_that_is_not_there(lab, broker, missing):
    done = lab.px(broker, [missing], check=False)
    assert done.returncode == 127
    assert missing in done.stderr


def test_what_may_not_be_run(lab, broker):
    path = lab.directory / "plain"
    path.write_text("text")
    path.chmod(0o644)
    done = lab.px(broker, [path], check=False)
    assert done.returncode == 126
