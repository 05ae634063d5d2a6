# SPDX-License-Identifier: MIT
"""Running a command to its end, and what /proc tells of processes."""

import os
import pathlib
import subprocess


def run(argv, check=True, **options):
    """Runs to the end; text, output captured, without input unless some is given. With `check`, a
    failure shows the output."""
    if "input" not in options:
        options.setdefault("stdin", subprocess.DEVNULL)
    argv = list(map(str, argv))
    done = subprocess.run(argv, capture_output=True, text=True, **options)
    if check and done.returncode != 0:
        raise AssertionError(
            f"{' '.join(argv)}: status {done.returncode}\n{done.stdout}{done.stderr}"
        )
    return done


def command_of(pid):
    """The name of its program; None once it has ended."""
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
    except (FileNotFoundError, ProcessLookupError):
        return None


PARENT = 4  # the number of this field


def stat_field(pid, number):
    """proc(5)'s field of /proc/PID/stat, counted from 1; from the third on."""
    text = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    return text.rpartition(")")[2].split()[number - 3]


def state(pid):
    """The letter of its state: S sleeps, T is stopped."""
    return stat_field(pid, 3)


def pids():
    return [entry.name for entry in pathlib.Path("/proc").iterdir() if entry.name.isdigit()]


def processes_called(command):
    return [int(pid) for pid in pids() if command_of(pid) == command]


def processes_where(number, value):
    """The pids whose field is `value`."""
    found = []
    for pid in pids():
        try:
            if stat_field(pid, number) == str(value):
                found.append(int(pid))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def descriptors(pid):
    return sorted(map(int, os.listdir(f"/proc/{pid}/fd")))


def threads(pid):
    return len(os.listdir(f"/proc/{pid}/task"))
