# SPDX-License-Identifier: MIT
"""px-exec's transparency: a program under it finds the same state as without it, and so does its
caller. Everything is run bare, with the lab's broker, and with a private one."""

import json
import os
import signal
import subprocess
import sys

import pytest

from support.launchers import lab, launcher, shell, without_px  # noqa: F401
from support.programs import CLIENTS, PX_EXEC

REPORTER = CLIENTS / "process_state.py"

# Shell scripts that set a state and then become the program, "$@".
STATES = {
    "plain": 'exec "$@"',
    "ignored": "trap '' HUP INT QUIT PIPE ALRM TERM USR1 CHLD TSTP TTIN TTOU; exec \"$@\"",
    "blocked": 'exec env --block-signal=HUP,INT,TERM,CHLD,USR1,PIPE "$@"',
    "pending": "exec env --block-signal=USR1 sh -c 'kill -USR1 $$; exec \"$@\"' sh \"$@\"",
    "alarm": "exec perl -e 'alarm 1000; exec @ARGV' \"$@\"",
    "umask": 'umask 027; exec "$@"',
    "directory": 'cd /usr/share; exec "$@"',
    "lost-directory": 'mkdir lost; cd lost; rmdir ../lost; exec "$@"',
    "nice": 'exec nice -n 7 "$@"',
    "limits": 'ulimit -S -n 64 -c 0 -s 4096 -u 500 -l 64; exec "$@"',
    "file-size": 'ulimit -S -f 8; exec "$@"',
    "descriptors": 'exec 3</dev/null 7>>kept 9<>other {high}</dev/zero; exec "$@"',
    "offset": 'printf "one\\ntwo\\n" >lines; exec <lines; read -r; exec "$@"',
    "no-input": 'exec <&-; exec "$@"',
    "nothing-open": 'exec <&- >&- 2>&-; exec "$@"',
    "session": 'exec setsid --wait "$@"',
    "nohup": 'exec nohup "$@"',
    "no-privileges": 'exec setpriv --no-new-privs --bounding-set=-all --inh-caps=-all "$@"',
    "one-cpu": f'exec taskset -c {min(os.sched_getaffinity(0))} "$@"',
    "bare-environment": "exec env -i A= 'B=c d' =odd PATH=/usr/bin:/bin \"$@\"",
}


def report(lab, script, launcher=()):
    """The state that the program found, run by `script`."""
    output = lab.directory / "report.json"
    done = shell(lab, script, *launcher, sys.executable, "-I", REPORTER, output, "a b", "", "--x")
    assert done.returncode == 0, done.stderr
    found = json.loads(output.read_text(encoding="utf-8"))
    output.unlink()
    return found


@pytest.mark.parametrize("name", STATES)
def test_the_program_finds_what_it_would_find_bare(lab, launcher, name):
    bare = report(lab, STATES[name])
    px = report(lab, STATES[name], launcher)
    assert any(variable.startswith("PX_PROFILE=") for variable in px["environment"])
    for found in (bare, px):
        found["environment"] = without_px(found["environment"])
    assert px == bare
    assert px["children"] is None


def test_a_limit_that_a_private_broker_cannot_live_with_is_named(lab):
    script = 'ulimit -f 8; exec setpriv --bounding-set=-all --no-new-privs "$@"'
    done = shell(lab, script, PX_EXEC, "--via", "lan0", "true")
    assert (done.returncode, done.stdout) == (125, "")
    assert "File too large" in done.stderr


def test_the_programs_name_is_the_word_it_was_called_by(lab, launcher):
    """Neither px-exec's nor the file's."""
    words = ["sh", "-c", "cat /proc/$$/cmdline", "zero"]
    assert shell(lab, 'exec -a other "$@"', *launcher, *words).stdout.split("\0")[0] == "sh"


# Statuses


def test_exit_statuses(lab, launcher):
    """All of them; some with private brokers, which take longer."""
    statuses = (0, 1, 125, 126, 127, 128, 255) if "--via" in launcher else range(256)
    words = " ".join(map(str, statuses))
    done = shell(lab, f'for n in {words}; do "$@" sh -c "exit $n"; echo $?; done', *launcher)
    assert (done.stdout.split(), done.stderr) == (words.split(), "")


@pytest.mark.parametrize("name", ["HUP", "INT", "QUIT", "KILL", "PIPE", "TERM", "USR1", "SEGV"])
def test_death_by_a_signal(lab, launcher, name):
    script = f"""ulimit -c 0; "$@" sh -c 'kill -{name} $$'; echo $?"""
    number = signal.Signals[f"SIG{name}"].value
    assert shell(lab, script, *launcher).stdout == f"{128 + number}\n"


def test_a_signal_for_the_launchers_pid_is_for_the_program(lab, launcher):
    script = "trap 'echo got it; exit 3' TERM; echo ready; while :; do read -r; done"
    process = lab.client.popen(
        [*launcher, "bash", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout.readline() == "ready\n"
    process.terminate()
    assert process.stdout.readline() == "got it\n"
    assert process.wait(timeout=10) == 3


# The files of a directory, and the commands that are run there.
FILES = """
echo text >plain
printf '#!/nonexistent/sh\\necho ran\\n' >bad-interpreter
printf '#!/usr\\necho ran\\n' >directory-interpreter
printf '#!./plain\\necho ran\\n' >plain-interpreter
printf '#!/bin/sh\\r\\necho ran\\n' >carriage-return
printf 'echo "ran $# $1"; exit 5\\n' >no-hash-bang
printf '#!/bin/sh\\necho "ran $0"; exit 6\\n' >script
: >empty
chmod +x *
chmod -x plain
mkdir directory directory/called script.d
ln -s nowhere dangling
ln -s loop loop
mv script no-hash-bang script.d
cp plain script.d/not-executable
"""
CALLS = {
    "not-found": "no-such-program",
    "no-name": "''",
    "no-such-path": "./no/such/program",
    "long-name": '"$(printf "%0300d" 0)"',
    "not-executable": "./plain",
    "directory": "./directory",
    "below-a-file": "./plain/x",
    "bad-interpreter": "./bad-interpreter",
    "directory-interpreter": "./directory-interpreter",
    "plain-interpreter": "./plain-interpreter",
    "carriage-return": "./carriage-return",
    "no-hash-bang": "./script.d/no-hash-bang 'a b' c",
    "script": "script.d/script",
    "empty-file": "./empty",
    "dangling": "./dangling",
    "loop": "./loop",
    "in-path": "PATH=script.d:/usr/bin script",
    "no-hash-bang-in-path": "PATH=/nonexistent:script.d:/usr/bin no-hash-bang",
    "not-executable-in-path": "PATH=script.d:/usr/bin:/bin not-executable",
    "not-executable-then-found": "PATH=.:script.d script",
    "empty-first-entry": "PATH=:/usr/bin empty",
    "empty-last-entry": "PATH=/usr/bin: empty",
    "empty-middle-entry": "PATH=/nonexistent::/usr/bin empty",
    "empty-path": "PATH= empty",
}


@pytest.mark.parametrize("name", CALLS)
def test_what_cannot_be_run_and_what_can_as_a_shell_says(lab, launcher, name):
    bare = shell(lab, f"{FILES}\n{CALLS[name]}")
    assert bare.returncode in (0, 5, 6, 126, 127)
    words = CALLS[name].split(" ")
    at = 1 if words[0].startswith("PATH=") else 0
    words.insert(at, '"$@"')
    px = shell(lab, f"{FILES}\n{' '.join(words)}", *launcher)
    assert (px.returncode, px.stdout) == (bare.returncode, bare.stdout), px.stderr
    assert len(px.stderr.splitlines()) == (px.returncode in (126, 127))


def test_a_directory_of_path_that_is_closed_to_the_caller(lab, launcher):
    make = "mkdir closed; chmod 0 closed; PATH=$PWD/closed:$PATH"
    closed = f'{make}; setpriv --bounding-set=-all "$@"'
    assert shell(lab, closed, "bash", "-c", "no-such-program").returncode == 127
    assert shell(lab, closed, *launcher, "no-such-program").returncode == 127
    assert shell(lab, closed, *launcher, "./closed/program").returncode == 126


# Pipelines and streams


PIPELINES = {
    "two": ('"$@" seq 1000 | "$@" tail -1', "1000\n0 0\n"),
    "broken": ('"$@" yes | head -1', "y\n141 0\n"),
    "broken-by-px": ('yes | "$@" head -1', "y\n141 0\n"),
    "input": ('printf "a\\nb\\n" | "$@" sh -c "read -r x; cat; exit 9"', "b\n0 9\n"),
    "substituted": ('"$@" cat <("$@" echo substituted) | cat', "substituted\n0 0\n"),
    "errors": ('"$@" sh -c "echo out; echo err >&2" 2>&1 >/dev/null | cat', "err\n0 0\n"),
    "large": ('head -c 300000 /dev/zero | "$@" cat | wc -c', "300000\n0 0 0\n"),
    "nothing-from-px": ('"$@" true 2>&1 | wc -c', "0\n0 0\n"),
}


@pytest.mark.parametrize("name", PIPELINES)
def test_pipelines(lab, launcher, name):
    pipeline, expected = PIPELINES[name]
    script = f'{pipeline}; echo "${{PIPESTATUS[@]}}"'
    bare = shell(lab, script.replace('"$@" ', ""))
    px = shell(lab, script, *launcher)
    assert (px.stdout, px.stderr) == (bare.stdout, bare.stderr) == (expected, "")


def test_input_that_the_program_does_not_read_is_left_to_the_next(lab, launcher):
    script = 'printf "1\\n2\\n" >f; { "$@" true; read -r x; "$@" cat; echo "[$x]"; } <f'
    assert shell(lab, script, *launcher).stdout == "2\n[1]\n"


def test_what_it_says_itself_and_cannot_is_a_failure(lab):
    done = shell(lab, '"$@" --version >/dev/full', PX_EXEC)
    assert done.returncode == 125
    assert "standard output" in done.stderr


# Children


def test_the_program_has_no_child(lab, launcher):
    """A shell's `wait` and a program's wait(2) return at once."""
    script = "import os\ntry: print(os.wait())\nexcept ChildProcessError: print('none')"
    assert lab.client.run([*launcher, sys.executable, "-I", "-c", script]).stdout == "none\n"
