# SPDX-License-Identifier: MIT
"""A pxd of one lab, and pxctl against it."""

import json
import os
import pathlib
import signal
import socket
import subprocess

from support.processes import PARENT, descriptors, processes_where
from support.programs import LIBPX, PXCTL, PXD
from support.wait import wait_until

# For tests that need no other.
POLICY = """version: 1
paths:
  lan: { interface: lan0 }
  lte: { interface: lte0 }
  vpn: { interface: vpn0 }
profiles:
  vpn-split:
    rules:
      - { to: [10.0.0.0/8, "fd20::/16"], via: vpn }
      - { to: any, via: [lte, lan] }
  lan-only:
    rules:
      - { to: any, via: lan }
  empty:
    rules: []
"""


def target_of(link):
    """Where a link of /proc leads; "" if it is gone by now."""
    try:
        return os.readlink(link)
    except FileNotFoundError:
        return ""


class Broker:
    """Owns a pxd in `namespace`, with its policy file and socket below `directory`; `words` and
    `variables` are added to its command line and environment, and `before` stands before them."""

    def __init__(self, namespace, directory, policy, words=(), variables=None, before=()):
        self.namespace = namespace
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.config = self.directory / "px.yaml"
        self.socket = self.directory / "px.sock"
        self.log = self.directory / "pxd.log"
        self.process = None
        self.words, self.variables, self.before = words, variables or {}, before
        self.config.write_text(policy)
        self.start()

    def start(self):
        self.launch()
        wait_until(self.answers, f"pxd answers at {self.socket}; its log: {self.log_text}")

    def launch(self):
        """Starts it without waiting until it serves."""
        with self.log.open("a", encoding="utf-8") as log:
            self.process = self.namespace.popen(
                [*self.before, PXD, "--config", self.config, "--socket", self.socket, *self.words],
                env={**os.environ, **self.variables},
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"pxd ended with {self.process.returncode}: {self.log_text}")
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as probe:
            return probe.connect_ex(str(self.socket)) == 0

    @property
    def log_text(self):
        return self.log.read_text(encoding="utf-8", errors="backslashreplace")

    @property
    def pid(self):
        return self.process.pid

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def restart(self):
        """A new pxd at the same socket."""
        if self.process.poll() is None:
            self.stop()
        self.start()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=10)
        return self.process.returncode

    def environment(self, **more):
        return {**os.environ, "PX_SOCKET": str(self.socket), **more}

    def preload_words(self, **more):
        """The words before a program that has libpx.so without px-exec."""
        variables = {"LD_PRELOAD": LIBPX, "PX_SOCKET": self.socket, **more}
        return ["env", *(f"{name}={value}" for name, value in variables.items())]

    def pxctl(self, *words, check=True, **options):
        return self.namespace.run(
            [PXCTL, *words], check=check, env=self.environment(), **options
        )

    def ask(self, *words):
        """pxctl --json, as Python values."""
        return json.loads(self.pxctl(words[0], "--json", *words[1:]).stdout)

    def reload(self, policy=None):
        """Reloads, with a new policy text if one is given. Returns pxctl, which may have failed."""
        if policy is not None:
            # Renamed into place: the broker must see all of it or nothing.
            written = self.config.with_suffix(".new")
            written.write_text(policy)
            written.rename(self.config)
        return self.pxctl("reload", check=False)

    def program(self, pid):
        """The line of `pxctl ps` about one process, or None."""
        return next((p for p in self.ask("ps")["programs"] if p["pid"] == pid), None)

    def idle_files(self):
        """How many files it has open once nobody is connected: each client costs a pidfd."""

        def counted():
            count = self.open_files()
            idle = self.clients() <= 0 and not self.connections()
            return count if idle and self.open_files() == count else 0

        return wait_until(counted, "nobody is connected to the broker")

    def connections(self):
        """That it has accepted, also where the client has gone and they are about to be closed."""
        # A connection is of the namespace of who connects: a program of the lab, or a test.
        tables = [pathlib.Path(f"/proc/{who}/net/unix").read_text() for who in (self.pid, "self")]
        rows = [line.split() for table in tables for line in table.splitlines()]
        # Listening sockets have the flag; others without a path are between its own processes.
        accepted = {f"socket:[{row[6]}]" for row in rows if len(row) > 7 and row[3] == "00000000"}
        links = pathlib.Path(f"/proc/{self.pid}/fd").iterdir()
        return sum(target_of(link) in accepted for link in links)

    def clients(self):
        links = pathlib.Path(f"/proc/{self.pid}/fd").iterdir()
        return sum("pidfd" in target_of(link) for link in links) - len(self.descriptor_processes())

    def open_files(self):
        """Without the three to each of its descriptor processes."""
        return len(descriptors(self.pid)) - 3 * len(self.descriptor_processes())

    def descriptor_processes(self):
        return processes_where(PARENT, self.pid)
