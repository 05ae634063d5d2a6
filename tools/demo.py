# SPDX-License-Identifier: MIT
"""px at work: the unmodified curl in the lab of three uplinks (tests/support/lab/three_uplinks.py).

Each table is one run. `rule` is the broker's own word (pxctl explain); `source` is the address that
the server saw; the bytes are what the kernel counted on each uplink, to and from that destination.
Every line is held against what was promised; one that is not ends the demo with exit status 1.
"""

import dataclasses
import pathlib
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from support.lab.three_uplinks import (  # noqa: E402
    CORPORATE,
    CORPORATE6,
    PUBLIC,
    PUBLIC6,
    UPLINKS,
    Lab,
)
from support.urls import url  # noqa: E402
from support.wait import wait_until  # noqa: E402

PROFILE = "vpn-split"
DESTINATIONS = (CORPORATE, CORPORATE6, PUBLIC, PUBLIC6)
CORPORATES = (CORPORATE, CORPORATE6)
# Blocked "at once": far below the second that the first lost packet would take.
AT_ONCE = 0.5
BODY = 20000

COLOURS = sys.stdout.isatty()


def tone(text, code):
    return f"\033[{code}m{text}\033[0m" if COLOURS else text


@dataclasses.dataclass
class Outcome:
    destination: str
    rule: str
    source: str  # that the server saw; empty: no answer
    error: str
    seconds: float
    bytes: dict  # by interface

    @property
    def interface(self):
        return " ".join(name for name, count in self.bytes.items() if count) or "-"

    def row(self):
        counts = [f"{self.bytes[uplink.interface]:,}" for uplink in UPLINKS]
        return [self.destination, self.rule, self.interface, self.source or self.error, *counts]


class Demo:
    def __init__(self, lab, broker):
        self.lab = lab
        self.broker = broker
        self.broken = 0

    def rule(self, destination):
        """What the broker says it will do, as (rule, interface)."""
        verdict = self.broker.ask("explain", "curl", destination, "80", "--profile", PROFILE)
        rule = verdict["rule"]
        # The place in the file is for people; the table has room for what is written there.
        text = f"{rule['index'] + 1}: to {rule['to']}" if rule else "none"
        return text, verdict["entry"]["interface"] if verdict["entry"] else None

    def fetch(self, destination, under_px):
        rule = self.rule(destination)[0] if under_px else "-"
        curl = ["curl", "-sS", "--max-time", "10", url(destination, f"/{BODY}")]
        self.lab.settle()
        self.lab.flows.reset()
        started = time.monotonic()
        if under_px:
            done = self.lab.px(self.broker, curl, PROFILE, check=False)
        else:
            done = self.lab.client.run(curl, check=False)
        seconds = time.monotonic() - started
        self.lab.settle()
        source = done.stdout.split()[0] if done.returncode == 0 else ""
        error = "" if source else "blocked" if done.returncode == 7 else done.stderr.strip()
        return Outcome(destination, rule, source, error, seconds, self.bytes(destination))

    def bytes(self, destination):
        flows = self.lab.flows
        sent = flows.per_interface("sent", destination, "bytes")
        got = flows.per_interface("got", destination, "bytes")
        # An unanswered question for an address on a link is no way out, but it did leave.
        asked = flows.per_interface("asked", destination, "bytes")
        names = [uplink.interface for uplink in UPLINKS]
        return {n: sent.get(n, 0) + got.get(n, 0) + asked.get(n, 0) for n in names}

    def run(self, title, under_px, promise):
        """One table; `promise` maps a destination to the uplink's name, or None for blocked."""
        print("\n" + tone(title, "1"))
        outcomes = [self.fetch(destination, under_px) for destination in DESTINATIONS]
        heading = ["destination", "rule", "interface", "source"]
        heading += [f"{uplink.interface} bytes" for uplink in UPLINKS] + [""]
        rows, complaints = [heading], []
        for outcome in outcomes:
            wrong = list(self.wrong(outcome, promise(outcome.destination), under_px))
            complaints += [f"{outcome.destination}: {text}" for text in wrong]
            rows.append(outcome.row() + [tone("NOT AS PROMISED", "31") if wrong else "ok"])
        show(rows)
        for complaint in complaints:
            print(tone(f"  not as promised: {complaint}", "31"))
        self.broken += len(complaints)

    def wrong(self, outcome, name, under_px):
        """What is not as promised, in words."""
        used = {interface for interface, count in outcome.bytes.items() if count}
        if name is None:
            if outcome.error != "blocked":
                yield f"not blocked, but {outcome.source or outcome.error}"
            if used:
                yield f"packets left by {' '.join(used)}"
            if outcome.seconds > AT_ONCE:
                yield f"took {outcome.seconds:.2f} s to be blocked"
            return
        uplink = self.lab.uplink(name)
        source = uplink.source_for(outcome.destination)
        if outcome.source != source:
            yield f"the server saw {outcome.source or outcome.error}, not {source}"
        if used != {uplink.interface}:
            yield f"left by {' '.join(used) or 'no uplink'}, not by {uplink.interface}"
        if outcome.bytes[uplink.interface] < BODY:
            yield f"only {outcome.bytes[uplink.interface]} bytes on {uplink.interface}"
        if under_px and self.rule(outcome.destination)[1] != uplink.interface:
            yield f"explained as {self.rule(outcome.destination)}"

    def blocked_as_unreachable(self):
        """curl's own words name the error that connect() gave."""
        curl = ["curl", "-sv", "--max-time", "10", f"http://{CORPORATE}/"]
        said = self.lab.px(self.broker, curl, PROFILE, check=False).stderr
        line = next((line for line in said.splitlines() if "Network is unreachable" in line), "")
        print(f"  curl says: {line.lstrip('* ') or said}")
        if not line:
            self.broken += 1
            print(tone("  not as promised: curl did not get ENETUNREACH", "31"))


def show(rows):
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [
            cell.rjust(width) if 4 <= column < 7 else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths))
        ]
        print("  " + "  ".join(cells).rstrip())


def as_promised(destination):
    return "vpn" if destination in CORPORATES else "lte"


def tunnel_lost(destination):
    return None if destination in CORPORATES else "lte"


def main():
    with Lab() as lab:
        policy = (ROOT / "tools/demo.yaml").read_text(encoding="utf-8")
        demo = Demo(lab, lab.start_broker(policy))
        print(f"A client with the uplinks lan0 (its default route), lte0 and vpn0.\n\n{policy}")
        demo.run("curl, bare", False, lambda _: "lan")
        demo.run(f"px-exec --profile {PROFILE} curl", True, as_promised)
        lab.link_down("vpn")
        lost = f"px-exec --profile {PROFILE} curl, after ip link set vpn0 down"
        demo.run(lost, True, tunnel_lost)
        demo.blocked_as_unreachable()
        lab.restore("vpn")
        wait_until(lambda: demo.rule(CORPORATE6)[1] == "vpn0", "the broker has vpn0 again")
        demo.run(f"px-exec --profile {PROFILE} curl, vpn0 up again", True, as_promised)
        demo.run("curl, bare, as before", False, lambda _: "lan")
        if demo.broken:
            print(tone(f"\n{demo.broken} times not as promised.", "31"))
            return 1
        print("\nEvery line is as promised.")
        return 0


if __name__ == "__main__":
    sys.exit(main())
