# SPDX-License-Identifier: MIT
"""px-exec --audit and pxctl audit in a lab: whether this machine can, and what they found."""

import functools
import json
import os
import select
import signal
import subprocess
import time

from support.programs import BUILD, PXCTL

PX_AUDIT = BUILD / "cli/px-audit"


@functools.cache
def why_not():
    """Why this machine can audit nothing; None where it can."""
    if not PX_AUDIT.exists():
        return "px was built without px-audit (clang, libbpf-dev)"
    if not is_first_user_namespace():
        return "needs root: packets are counted by BPF programs"
    return None


def is_first_user_namespace():
    with open("/proc/self/uid_map", encoding="ascii") as file:
        return file.read().split() == ["0", "0", "4294967295"]


def audited(lab, broker, argv, profile="vpn-split", words=(), **options):
    """The program under px-exec --audit, to its end; with what the report says."""
    report = lab.directory / "audit.json"
    report.unlink(missing_ok=True)
    words = ["--audit-report", report, *words]
    done = lab.px(broker, argv, profile, words, check=False, **options)
    return done, json.loads(report.read_text()) if report.exists() else None


def findings(report):
    """(verdict, command, protocol, destination, port, interface) of each flow with a finding."""
    keys = ("verdict", "command", "protocol", "destination", "port", "interface")
    unexplained = (
        f for f in report["flows"] if f["verdict"] not in ("explained", "answer", "elsewhere")
    )
    return {tuple(flow[key] for key in keys) for flow in unexplained}


class Heard:
    """What a process writes into a pipe."""

    def __init__(self, stream):
        self.stream, self.text = stream, ""

    def hear(self, words, seconds=10.0):
        """Whether the words come within this time."""
        end = time.monotonic() + seconds
        while words not in self.text:
            ready, _, _ = select.select([self.stream], [], [], max(0.0, end - time.monotonic()))
            piece = os.read(self.stream.fileno(), 65536) if ready else b""
            if not piece:
                return False
            self.text += piece.decode()
        return True


class Auditing:
    """A `pxctl audit --json` in the lab's client, which counts already."""

    def __init__(self, lab, broker, *words):
        self.process = lab.client.popen(
            [PXCTL, "audit", "--json", *words],
            env=broker.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.heard = Heard(self.process.stdout)
        assert self.heard.hear("counting"), self.process.stderr.read()

    def end(self):
        """Interrupts it; its exit status and its verdict."""
        self.process.send_signal(signal.SIGINT)
        rest = self.process.communicate(timeout=10)[0]
        return self.process.returncode, json.loads((self.heard.text + rest).splitlines()[-1])
