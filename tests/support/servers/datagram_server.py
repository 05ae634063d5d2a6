# SPDX-License-Identifier: MIT
"""tests/programs/datagram_server in the lab's client, and calls to it from the lab's server."""

import subprocess
import sys

from support.lab.three_uplinks import PUBLIC, PUBLIC6
from support.programs import CLIENTS, program_file

PORT = "5353"
# The default uplink's address, and two that are not.
CALLED = {
    PUBLIC: ["192.168.1.2", "100.64.2.2", "10.8.0.2"],
    PUBLIC6: ["2001:db8:1::2", "2001:db8:2::2", "fd08::2"],
}


class Server:
    """A datagram_server in the client; ends after `count` answers."""

    def __init__(self, lab, words, count, broker=None, profile=None):
        argv = [program_file("datagram_server"), *words[:2], PORT, str(count), *words[2:]]
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        if broker:
            self.process = lab.px_popen(broker, argv, profile, **options)
        else:
            self.process = lab.client.popen(argv, **options)
        self.lines = []
        while "ready: ok" not in self.lines:
            line = self.process.stdout.readline()
            assert line, self.lines
            self.lines.append(line.strip())

    def output(self):
        rest, _ = self.process.communicate(timeout=10)
        return self.lines + rest.splitlines()


def call(lab, source, called):
    """{called: the source of the answer, or "none"}."""
    argv = [sys.executable, "-I", CLIENTS / "datagram_peer.py", source, PORT, *called]
    return dict(line.split() for line in lab.server.run(argv).stdout.splitlines())


def answers(lab, words, source, broker=None, profile=None):
    """{called: the source of the answer}, and the server's output."""
    called = CALLED[source]
    server = Server(lab, words, len(called), broker, profile)
    return call(lab, source, called), server.output()


def answered_by(lab, source):
    """{source of the answers: interface they left by}"""
    return {
        flow.source: flow.interface
        for flow in lab.flows.flows()
        if flow.kind == "sent" and flow.destination == source and flow.protocol == "udp"
    }
