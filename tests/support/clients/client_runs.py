# SPDX-License-Identifier: MIT
"""Runs the clients of real_clients.py in the lab of member_networks.py, bare or under px.

Records whether and when each one reached its server.
"""

import collections
import concurrent.futures
import contextlib
import dataclasses
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

from support.clients import real_clients
from support.clients.real_clients import ALIAS, ANGLE, BRACES, POLICY, SPELLED
from support.lab.member_networks import ALIVE, member
from support.programs import PX_EXEC, SERVERS
from support.servers import protocol_stubs, real_servers
from support.unprivileged import without_capabilities

PROFILE = "bundles"


@dataclasses.dataclass(frozen=True)
class Round:
    """Members of their own for every client, which differ from those of other rounds."""

    number: int
    families: tuple  # of the two members: 4 or 6
    first: int  # DEAD or ALIVE

    def members(self, number):
        """The members for client `number`, in order. The second is always alive."""
        return [
            member(self.first, self.families[0], self.number, number),
            member(ALIVE, self.families[1], self.number + 128, number),
        ]


@dataclasses.dataclass(frozen=True)
class Run:
    arrived: bool
    hangs: bool  # had to be ended
    seconds: float  # until the program ended
    output: str  # all that it printed


def spelled(address):
    """As a part of `a.and.b.bundle`."""
    return f"{address.replace(':', '-')}.v6" if ":" in address else address


def _start_servers(lab):
    """At all addresses of the lab's server; the pages of port 8080 are the lab's own."""
    for server in (real_servers.iperf3, real_servers.rsyncd, real_servers.redis):
        server(lab, None)
    for server in (real_servers.git, real_servers.ssh, real_servers.tls):
        server(lab)
    stubs = [sys.executable, SERVERS / "protocol_stubs.py"]
    real_servers.start(lab, stubs, protocol_stubs.POSTGRESQL)


class ClientRuns:
    """The clients, their numbers, and the names of their bundles; `java` runs Fetch.java."""

    def __init__(self, lab, java):
        self.lab = lab
        self.clients = {client.name: client for client in real_clients.clients(java)}
        self.numbers = {name: number for number, name in enumerate(self.clients, 1)}
        _start_servers(lab)

    def members(self, name, of_round):
        return of_round.members(self.numbers[name])

    def label(self, name, of_round):
        return re.sub("[^a-z0-9]+", "-", name.lower()) + f"-{of_round.number}"

    def real_name(self, name, of_round):
        return f"{self.label(name, of_round)}.px.test"

    def host(self, name, of_round, form):
        members = self.members(name, of_round)
        return {
            ANGLE: f"<{','.join(members)}>",
            BRACES: f"{{{','.join(members)}}}",
            SPELLED: f"{'.and.'.join(map(spelled, members))}.bundle",
            POLICY: f"{self.label(name, of_round)}.bundle",
            ALIAS: self.real_name(name, of_round),
        }[form]

    def policy(self, rounds):
        """A policy with the bundles of these rounds, and a profile without rules."""
        lines = ["version: 1", "profiles:", f"  {PROFILE}: {{ rules: [] }}", "bundles:"]
        for each in rounds:
            for name in self.clients:
                hosts = ", ".join(f'"{address}"' for address in self.members(name, each))
                alias = self.real_name(name, each)
                lines.append(f"  {self.label(name, each)}: {{ hosts: [{hosts}], alias: {alias} }}")
        return "\n".join([*lines, ""])

    def bare(self, name, of_round, deadline):
        """By a real name, which has the members as its addresses."""
        self.lab.name(self.real_name(name, of_round), self.members(name, of_round))
        return self._run(name, of_round, ALIAS, [], os.environ, deadline)

    def under_px(self, name, broker, of_round, deadline):
        form = self.clients[name].form(of_round.families)
        launcher = [PX_EXEC, "--profile", PROFILE, "--"]
        return self._run(name, of_round, form, launcher, broker.environment(), deadline)

    def _run(self, name, of_round, form, launcher, environment, deadline):
        client = self.clients[name]
        host = self.host(name, of_round, form)
        local = 9000 + 100 * of_round.number + self.numbers[name]
        with tempfile.TemporaryDirectory(dir=self.lab.directory) as work:

            def filled(text):
                for word, value in (("HOST", host), ("WORK", work), ("LOCAL", str(local))):
                    text = text.replace(word, value)
                return text

            for file, text in client.files.items():
                pathlib.Path(work, file).write_text(filled(text), encoding="utf-8")
            argv = [*launcher, *(filled(str(word)) for word in client.argv)]
            if client.forks:
                argv = without_capabilities(argv)
            environment = {**environment, "HOME": work, "TERM": "dumb"}
            seconds, status, output = self._to_its_end(client, argv, environment, deadline)
        alive = self.members(name, of_round)[0 if of_round.first == ALIVE else 1 :]
        shown = any(client.shows.replace("MEMBER", member) in output for member in alive)
        arrived = status == client.status and shown
        return Run(arrived, status == "late", seconds, f"{status}: {output}")

    def _to_its_end(self, client, argv, environment, deadline):
        with tempfile.TemporaryFile("w+", dir=self.lab.directory, errors="replace") as output:
            start = time.monotonic()
            process = self.lab.client.popen(
                argv,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )
            # One that fails may end before it has read anything.
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write(client.input)
                process.stdin.flush()
                if not client.keeps_input:
                    process.stdin.close()
            try:
                status = process.wait(timeout=deadline)
            except subprocess.TimeoutExpired:
                status = "late"
            seconds = time.monotonic() - start
            if status == "late":
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            output.seek(0)
            return seconds, status, output.read()

    def attempts(self, of_round):
        """{name: how many SYNs were sent to its members}, once all have been sent. How many packets
        follow them is chance: one acknowledgement answers one segment or two."""
        self.lab.settle()
        sent = collections.Counter()
        for flow in self.lab.flows.flows():
            if flow.kind == "syn":
                sent[flow.destination] += flow.packets
        return {
            name: sum(sent[member] for member in self.members(name, of_round))
            for name in self.clients
        }

    def of_all(self, run, *arguments, at_once, names):
        """{name: run(name, ...)} of these clients, `at_once` at a time."""
        with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
            futures = {name: pool.submit(run, name, *arguments) for name in names}
            return {name: future.result() for name, future in futures.items()}
