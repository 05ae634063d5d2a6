# SPDX-License-Identifier: MIT
"""A hostile_name_server on the router of one uplink."""

import subprocess
import sys

from support.lab.three_uplinks import UPLINKS
from support.programs import SERVERS


class HostileUplink:
    """By IPv6 it is not reached over TCP."""

    def __init__(self, lab, name):
        self.uplink = next(uplink for uplink in UPLINKS if uplink.name == name)
        self.log = lab.directory / f"{name}.questions"
        self.router = lab.routers[name]
        self._start(self.uplink.gateway)
        self._start(self.uplink.gateway6, "--no-tcp")
        self.router.listens(53)

    def _start(self, *words):
        with self.log.open("a", encoding="utf-8") as log:
            self.router.popen(
                [sys.executable, SERVERS / "hostile_name_server.py", *words],
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def asked(self):
        """The questions that it was asked by datagrams, in order, as TYPE NAME."""
        return self.log.read_text(encoding="utf-8").splitlines()
