# SPDX-License-Identifier: MIT
"""process_state.py FILE [WORDS...]: writes down the state that it was started in.

Signals, limits, descriptors, session, credentials, environment, children: exec(2) keeps all of it,
so a launcher must not change it.
"""

import json
import os
import re
import resource
import signal
import sys

STATUS = re.compile(
    r"(Umask|State|TracerPid|[UG]id|Groups|SigPnd|ShdPnd|SigBlk|SigIgn|SigCgt|Cap...|NoNewPrivs|"
    r"Seccomp|Cpus_allowed_list|Threads):\t(.*)"
)


def read(name):
    with open(f"/proc/self/{name}", encoding="utf-8", errors="surrogateescape") as file:
        return file.read()


def descriptors():
    found = {}
    for number in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{number}")
            position, flags = read(f"fdinfo/{number}").split("\n")[:2]
        except FileNotFoundError:  # the listing's own
            continue
        # Two runs have two pipes.
        found[number] = [re.sub(r":\[\d+\]", "", target), position, flags]
    return found


def children():
    try:
        return os.waitpid(-1, os.WNOHANG | 0x40000000)  # __WALL
    except ChildProcessError:
        return None


def working_directory():
    try:
        return os.getcwd()
    except FileNotFoundError:
        return None


def process_state():
    return {
        "status": dict(STATUS.findall(read("status"))),
        "descriptors": descriptors(),
        "limits": read("limits"),
        "arguments": read("cmdline").split("\0"),
        "environment": read("environ").split("\0"),
        "command": read("comm"),
        "directory": working_directory(),
        "group leader": os.getpgrp() == os.getpid(),
        "session leader": os.getsid(0) == os.getpid(),
        "nice": os.getpriority(os.PRIO_PROCESS, 0),
        "scheduler": os.sched_getscheduler(0),
        "alarm is set": signal.getitimer(signal.ITIMER_REAL)[0] > 0,
        "cpu limit": resource.getrlimit(resource.RLIMIT_CPU),
        "children": children(),
    }


if __name__ == "__main__":
    text = json.dumps(process_state())
    with open(sys.argv[1], "w", encoding="utf-8") as output:
        output.write(text)
