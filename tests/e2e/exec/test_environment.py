# SPDX-License-Identifier: MIT
"""px-exec's transparency: what it sets in the environment, and which words are the program's."""

import os

import pytest

from support.lab.three_uplinks import CORPORATE
from support.launchers import lab, launcher, shell, without_px  # noqa: F401
from support.processes import run
from support.programs import LIBPX, PX_EXEC

PRINT_PRELOAD = """#include <stdio.h>
#include <stdlib.h>
int main(void) { return puts(getenv("LD_PRELOAD")) < 0; }
"""


def environment_of(lab, launcher, **variables):
    """The program's environment, in its order; px-exec is given PATH and `variables` alone."""
    given = [f"{name}={value}" for name, value in variables.items()]
    command = ["env", "-i", "PATH=/usr/bin:/bin", *given]
    done = lab.client.run([*command, *launcher, "cat", "/proc/self/environ"])
    return [line for line in done.stdout.split("\0") if line], done.stderr


def value(variables, name):
    return next(line.partition("=")[2] for line in variables if line.startswith(f"{name}="))


@pytest.fixture(scope="module")
def preloadable(lab):
    """Two empty libraries."""
    paths = []
    for name in ("first.so", "second.so"):
        path = lab.directory / name
        flags = ["-shared", "-fPIC", "-x", "c", "-o", path]
        run(["gcc", *flags, "-"], input="")
        paths.append(str(path))
    return paths


@pytest.mark.parametrize("separator", [":", " ", ":: "], ids=["colon", "space", "several"])
def test_libpx_stands_behind_what_was_preloaded_before(lab, launcher, preloadable, separator):
    preload = separator.join(preloadable)
    variables, errors = environment_of(lab, launcher, LD_PRELOAD=preload)
    assert value(variables, "LD_PRELOAD") == ":".join([*preloadable, str(LIBPX)])
    assert errors == ""


def test_libpx_stands_there_once(lab, launcher, preloadable):
    preload = ":".join([str(LIBPX), *preloadable])
    variables, _ = environment_of(lab, [*launcher, *launcher], LD_PRELOAD=preload)
    assert value(variables, "LD_PRELOAD") == ":".join([*preloadable, str(LIBPX)])


def test_a_sanitizers_runtime_stands_first(lab, launcher, preloadable):
    program = lab.directory / "sanitized"
    source = lab.directory / "sanitized.c"
    source.write_text(PRINT_PRELOAD)
    run(["gcc", "-fsanitize=address", "-o", program, source])
    environment = {**os.environ, "LD_PRELOAD": ":".join(preloadable)}
    done = lab.client.run([*launcher, program], env=environment)
    runtime, *others = done.stdout.strip().split(":")
    assert runtime.startswith("libasan.so")
    assert others == [*preloadable, str(LIBPX)]
    assert done.stderr == ""


def test_nothing_but_three_variables_is_set(lab, launcher):
    given = {"ZZZ": "1", "AAA": "a = b", "EMPTY": "", "PX_OTHER": "kept"}
    variables, _ = environment_of(lab, launcher, **given)
    bare, _ = environment_of(lab, [], **given)
    assert without_px(variables) == without_px(bare)
    added = [line for line in variables if line not in bare]
    assert {line.partition("=")[0] for line in added} == {"LD_PRELOAD", "PX_SOCKET", "PX_PROFILE"}


def test_a_socket_named_by_a_relative_path_is_found_from_everywhere(lab):
    broker = lab.start_broker(name="relative")
    words = [PX_EXEC, "--profile", "vpn-split", "--socket", "px.sock", "--"]
    script = f"cd /usr; curl -sS http://{CORPORATE}/"
    done = lab.client.run([*words, "bash", "-c", script], cwd=broker.directory)
    assert done.stdout.split()[0] == "10.8.0.2"
    assert broker.stop() == 0


def test_px_under_px(lab):
    """The inner one decides, for the inner program."""
    inner = f"{PX_EXEC} --via vpn0 curl -sS http://{CORPORATE}/"
    script = f"{inner}; curl -sS http://{CORPORATE}/"
    done = lab.client.run([PX_EXEC, "--via", "lte0", "bash", "-c", script])
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["10.8.0.2", "100.64.2.2"]


# Command line


@pytest.mark.parametrize(
    "words, expected",
    [
        (["--", "echo", "--", "-x"], "-- -x\n"),
        (["echo", "--profile", "no-such"], "--profile no-such\n"),
        (["--allow-uncovered", "echo", "--allow-uncovered"], "--allow-uncovered\n"),
        (["--", "printf", "%s.", "", "a  b", "*"], ".a  b.*."),
    ],
)
def test_the_programs_words_are_its_own(lab, launcher, words, expected):
    done = lab.client.run([*launcher[:-1], *words])
    assert (done.stdout, done.stderr) == (expected, "")


def test_a_program_whose_name_begins_with_a_dash(lab, launcher):
    script = """echo 'echo "ran $*"' >-x; chmod +x ./-x; PATH=.:$PATH; "$@" -x --help"""
    assert shell(lab, script, *launcher).stdout == "ran --help\n"
