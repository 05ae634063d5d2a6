# SPDX-License-Identifier: MIT
"""A hundred programs of many kinds connect as fast as they can while the policy is reloaded, a link
flaps and the broker is killed.

No server sees a wrong source, no packet with data and no request for a connection leaves elsewhere,
nobody's descriptors or memory grow, and nobody crashes. The figures are printed.
"""

import collections
import dataclasses
import os
import time

from population import STREAM_PORT, Population, resident
from support.lab.broker import Broker
from support.lab.three_uplinks import PUBLIC, PUBLIC_OTHER, UPLINKS
from support.programs import program_file
from support.wait import Late, wait_until
from timeline import EVER, Timeline, text_of

MIB = 1 << 20
# Beyond what is in flight at one moment and not at another.
MORE_FILES, MORE_MEMORY, MORE_BROKER_MEMORY = 8, 4 * MIB, 4 * MIB
MARGIN = 120  # seconds, on a busy machine


class Soak:
    """Changes one thing after the other, and measures in between."""

    def __init__(self, lab, seconds):
        self.lab = lab
        self.dwell = max(0.5, min(5, seconds / 30))
        lab.server.popen([program_file("soak_server"), STREAM_PORT])
        lab.server.listens(STREAM_PORT)
        self.broker = Broker(lab.client, lab.directory / "px", text_of("a"))
        self.timeline = Timeline(lab, lab.directory / "epoch")
        self.changes = collections.Counter()
        self.idle_files = self.broker.idle_files()
        self.population = Population(
            lab, self.broker, self.timeline.file, lab.directory / "programs"
        )

    def explained(self, destination):
        words = ("explain", "curl", destination, "80", "--profile", "soak")
        entry = self.broker.ask(*words)["entry"]
        return entry and entry["interface"].removesuffix("0")

    def in_force(self, state):
        return all(self.explained(to) == state.egress(to) for to in (PUBLIC, PUBLIC_OTHER))

    def reload(self):
        with self.timeline.change(policy="ab"[self.timeline.state.policy == "a"]) as new:
            done = self.broker.reload(text_of(new.policy))
            assert done.returncode == 0, done.stderr
        self.count("reloads")

    def flap(self, down, up):
        for lte, change in ((False, down), (True, up)):
            with self.timeline.change(lte=lte) as new:
                change("lte")
                wait_until(lambda: self.in_force(new), f"{new} is in force", MARGIN)
            self.count("link changes")

    def kill(self):
        with self.timeline.change(no_broker=True):
            self.broker.kill()
            self.count("kills")
            self.broker.start()
        self.await_programs()

    def await_programs(self):
        """The broker knows each one. One that is missing is told with what it waits for."""
        wanted = self.population.that_connect()
        known = lambda: {program["pid"] for program in self.broker.ask("ps")["programs"]}
        try:
            wait_until(lambda: wanted <= known(), "the broker knows all programs", MARGIN)
        except Late as late:
            missing = wanted - known()
            raise Late(f"{late}, but not {self.population.doing(missing)}") from late

    def count(self, what):
        self.changes[what] += 1
        time.sleep(self.dwell)  # The programs are at work.

    def round(self, kills):
        self.reload()
        self.flap(self.lab.link_down, self.lab.restore)
        self.reload()
        self.flap(self.lab.unplug, self.lab.plug)
        if kills:
            self.kill()

    def measure(self):
        """What everybody holds: the most of a few looks."""
        looks = []
        for _ in range(5):
            looks.append([(each.files(), each.memory()) for each in self.population.programs])
            time.sleep(self.dwell / 5)
        programs = [tuple(map(max, zip(*look))) for look in zip(*looks)]
        return programs, resident(self.broker.pid)

    def run(self, seconds):
        """With kills in the first half. Returns two measurements of the second half."""
        begin = time.monotonic()
        self.await_programs()
        self.round(kills=True)
        while time.monotonic() < begin + seconds / 2:
            self.round(kills=True)
        self.round(kills=False)
        before = self.measure()
        self.round(kills=False)
        while time.monotonic() < begin + seconds:
            self.round(kills=False)
        return before, self.measure()


def failed(outcome):
    """Whether it is no address."""
    return not outcome[0].isdigit() and ":" not in outcome


def wrong(timeline, exchanges):
    """The exchanges that none of the states of their time explains, in words."""
    found = []
    for each in exchanges:
        times = (each.before, each.after)
        if each.outcome in timeline.sources(each.destination, *times):
            continue
        if not (failed(each.outcome) and timeline.may_fail(*times, each.kind.starts)):
            during = [dataclasses.astuple(epoch) for epoch in timeline.during(*times)]
            found.append(
                f"{each.kind.name} to {each.destination}: {each.count} times {each.outcome} "
                f"from {each.before} to {each.after}, {during}"
            )
    return found


def elsewhere(lab):
    """What left by another interface than the rules have ever named, or than its source's."""
    source_of = {uplink.interface: (uplink.source, uplink.source6) for uplink in UPLINKS}
    return [
        flow
        for flow in lab.flows.flows()
        if flow.destination in EVER
        and (flow.kind in ("syn", "data") or (flow.kind, flow.protocol) == ("sent", "udp"))
        and not (
            flow.interface in EVER[flow.destination]
            and flow.source in source_of[flow.interface]
        )
    ]


def report(soak, exchanges, seconds, before, after):
    by_kind = collections.Counter()
    failures = 0
    for each in exchanges:
        by_kind[each.kind.name] += each.count
        failures += each.count * failed(each.outcome)
    print(f"{by_kind.total()} exchanges in {seconds:.0f} s, {failures} failed in a change;")
    print(f"load {os.getloadavg()[0]:.0f}; changes: {dict(soak.changes)}")
    print(f"by kind: {dict(by_kind)}")
    print(f"the broker's memory: {before[1] / MIB:.1f} MiB, then {after[1] / MIB:.1f} MiB")
    files, memory = (
        max(late[i] - early[i] for early, late in zip(before[0], after[0])) for i in (0, 1)
    )
    print(f"a program's growth at most: {files} descriptors, {memory / 1024:.0f} KiB")


def test_a_hundred_programs(lab, seconds):
    soak = Soak(lab, seconds)
    begin = time.monotonic()
    before, after = soak.run(seconds)
    soak.timeline.stop()
    lasted = time.monotonic() - begin
    assert soak.population.end() == {}, "every program ends well"
    assert soak.population.idle() == [], "every program has connected"
    exchanges = soak.population.exchanges()
    report(soak, exchanges, lasted, before, after)
    found = wrong(soak.timeline, exchanges)
    assert not found, "\n".join(found)
    assert elsewhere(lab) == []
    for program, early, late in zip(soak.population.programs, before[0], after[0]):
        assert late[0] <= early[0] + MORE_FILES, program.kind.name
        assert late[1] <= early[1] + MORE_MEMORY, program.kind.name
    assert after[1] <= before[1] + MORE_BROKER_MEMORY
    # A process that uses what programs pass to the broker ends after ten idle seconds.
    wait_until(
        lambda: soak.broker.idle_files() <= soak.idle_files, "no descriptor is left open", 20.0
    )
    assert soak.broker.stop() == 0
    for word in ("Sanitizer", "runtime error", "error:"):
        assert word not in soak.broker.log_text, soak.broker.log_text
