# SPDX-License-Identifier: MIT
"""A terminal with a program in it: its input, its output, and its foreground process group."""

import os
import pty
import select
import signal
import time

from support.processes import command_of
from support.wait import Late, wait_until


class Terminal:
    """A context manager. argv leads the terminal's session, which is hung up in the end."""

    def __init__(self, argv, environment, deadline=10.0):
        self.deadline = deadline
        self.shown = ""
        self.status = None
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            # Python ignores these itself; no program in a terminal finds them so.
            for number in (signal.SIGPIPE, signal.SIGXFSZ):
                signal.signal(number, signal.SIG_DFL)
            os.execvpe(argv[0], list(map(str, argv)), environment)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.hang_up()

    def hang_up(self):
        """Closes the terminal and waits for its leader."""
        if self.master is not None:
            os.close(self.master)
            self.master = None
        self.end()

    def end(self):
        """Waits for the leader; its status, negative for a signal."""
        try:
            wait_until(self._has_ended, "the terminal's leader has ended", self.deadline)
        except Late:
            os.kill(self.pid, signal.SIGKILL)
            raise
        return self.status

    def _has_ended(self):
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.status = os.waitstatus_to_exitcode(status) if pid else None
        return self.status is not None

    def type(self, text):
        os.write(self.master, text.encode())

    def read_until(self, text):
        """What was shown up to `text`, which is consumed."""
        end = time.monotonic() + self.deadline
        while text not in self.shown:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.master], [], [], left)[0]:
                raise Late(f"not shown: {text!r}; but: {self.shown!r}")
            self.shown += os.read(self.master, 4096).decode(errors="replace")
        before, _, self.shown = self.shown.partition(text)
        return before

    def foreground(self):
        """The foreground process group."""
        return os.tcgetpgrp(self.master)

    def foreground_is(self, command):
        """Waits until a program of this name leads the foreground; its pid."""

        def leads():
            group = self.foreground()
            return group if command_of(group) == command else None

        return wait_until(leads, f"{command} in the foreground", self.deadline)
