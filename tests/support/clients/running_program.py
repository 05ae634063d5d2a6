# SPDX-License-Identifier: MIT
"""A running program that connects when it is told to: the tests' end of connect_on_command.py."""

import dataclasses
import json
import subprocess
import sys

from support.programs import CLIENTS
from support.unprivileged import build_for_all, tests_for_all

SCRIPT = "connect_on_command.py"
COMMAND = [sys.executable, "-I", CLIENTS / SCRIPT]


@dataclasses.dataclass(frozen=True)
class Connection:
    source: str  # that the server saw; None where there was no connection
    local: str
    error: str  # errno's name, or None
    seconds: float
    waits: int  # not counted is where the processor was taken away


class RunningProgram:
    """A program under px-exec, or bare without a broker. Ends with its lab."""

    def __init__(self, lab, broker, profile="vpn-split"):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        if broker:
            self.process = lab.px_popen(broker, COMMAND, profile, **pipes)
        else:
            self.process = lab.client.popen(COMMAND, **pipes)

    @classmethod
    def preloaded(cls, lab, broker, interpreter=sys.executable, words=(), **variables):
        """Without px-exec: libpx.so alone, in this copy of the interpreter."""
        library = str(build_for_all() / "preload/libpx.so")
        return cls.behind(lab, broker, words, interpreter, LD_PRELOAD=library, **variables)

    @classmethod
    def behind(cls, lab, broker, words, interpreter=sys.executable, **variables):
        """Behind these words of another command."""
        self = cls.__new__(cls)
        self.process = lab.client.popen(
            [*words, interpreter, "-I", tests_for_all() / "support/clients" / SCRIPT],
            env=broker.environment(**variables),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        return self

    @property
    def pid(self):
        return self.process.pid

    def order(self, destination, port=None, transport="tcp", blocking=True, **more):
        port = port or (80 if transport == "tcp" else 7777)
        words = {"to": destination, "port": port, "transport": transport, "blocking": blocking}
        self.process.stdin.write(json.dumps({**words, **more}) + "\n")
        self.process.stdin.flush()

    def answer(self):
        line = self.process.stdout.readline()
        assert line, f"the program ended with {self.process.wait()}"
        return Connection(**json.loads(line))

    def connect(self, destination, **how):
        self.order(destination, **how)
        return self.answer()
