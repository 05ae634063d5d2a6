# SPDX-License-Identifier: MIT
"""Several users do to the broker at once whatever a user can, over and over: nobody else notices.

A second broker, which nobody attacks, shows what the machine itself adds. The figures are printed.
"""

import contextlib
import json
import os
import select
import statistics
import subprocess
import threading
import time

from support.clients.running_program import RunningProgram
from support.lab.broker import Broker
from support.lab.three_uplinks import CORPORATE
from support.unprivileged import NOBODY, module_for_all, other_user
from support.wait import wait_until

# Seconds, on a machine that is busy with other things, too.
SLOWEST_HELLO, LATE_HEARTBEAT, LATER_CONNECT = 0.5, 1.0, 0.01
TURN = 8  # seconds, after which each attacker begins anew
PATIENCE = 120  # seconds, for an attacker that is served late

POLICY = """version: 1
paths:
  lan: { interface: lan0 }
  vpn: { interface: vpn0 }
profiles:
  vpn-split:
    rules:
      - { to: 10.0.0.0/8, via: vpn }
      - { to: any, via: lan }
  lan-only:
    rules:
      - { to: any, via: lan }
"""

# (user, a module of support.clients, its words after the socket)
ATTACKERS = (
    (60001, "request_flood", ("doctor", 300)),
    (60001, "request_flood", ("ps", 300)),
    (60002, "request_flood", ("status", 300)),
    (60003, "connection_flood", (10000, 1024)),
    (60004, "held_descriptors", ("nested", 4)),
    (60005, "held_descriptors", ("plain", 4)),
    (60006, "held_descriptors", ("queued", 4)),
    (60007, "deaf_watchers", (500,)),
    (60008, "deaf_watchers", (100,)),
    (60008, "restless", ("vpn-split", "lan-only")),
)
# conf/systemd/pxd.service.in says so, too.
PRIORITY = ("nice", "-n", "-10")


def as_user(user, argv):
    words = [f"--reuid={user}" if word == f"--reuid={NOBODY}" else word for word in other_user()]
    return [*words, *argv]


def client(lab, user, module, *words, **options):
    argv = as_user(user, module_for_all(f"support.clients.{module}", *map(str, words)))
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, **options}
    return lab.client.popen(argv, **pipes)


class Attack:
    """All attackers, each in a thread that starts it again and again until the end."""

    def __init__(self, lab, broker):
        self.lab, self.broker = lab, broker
        self.over = threading.Event()
        self.turns = {attacker: 0 for attacker in ATTACKERS}
        self.threads = [
            threading.Thread(target=self._repeat, args=[attacker]) for attacker in ATTACKERS
        ]

    def _repeat(self, attacker):
        user, module, words = attacker
        while not self.over.is_set():
            process = client(
                self.lab, user, module, self.broker.socket, *words, stderr=subprocess.DEVNULL
            )
            # One may be caught in its own trap: then it is killed.
            if select.select([process.stdout], [], [], TURN)[0] and process.stdout.readline():
                self.turns[attacker] += 1
            self.over.wait(TURN)
            process.stdin.close()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def __enter__(self):
        # Before the threads: a first call for all users.
        other_user()
        module_for_all("support")
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()


@contextlib.contextmanager
def measured(lab, attacked, quiet):
    """Another user's hellos meanwhile; the dictionary is filled at the end."""
    found = {}
    words = (f"attacked={attacked.socket}", f"quiet={quiet.socket}")
    meter = client(lab, 61000, "hello_meter", *words)
    assert meter.stdout.readline() == "measuring\n"
    yield found
    out, _ = meter.communicate("\n", timeout=PATIENCE)
    found.update(json.loads(out))


def connects(lab, broker, seconds):
    """(seconds, waits) of each connect, of a program under px and of one without, in turns."""
    under_px, bare = RunningProgram(lab, broker), RunningProgram(lab, None)
    made = ([], [])
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for program, connections in zip((under_px, bare), made):
            connection = program.connect(CORPORATE)
            assert connection.error is None
            connections.append((connection.seconds, connection.waits))
    for program in (under_px, bare):
        program.process.stdin.close()
        program.process.wait(timeout=PATIENCE)
    return made


def nearly_all(figures, share=0.99):
    """As slow as so many are at most."""
    return sorted(figures)[int(len(figures) * share)]


def milliseconds(figures):
    values = (statistics.median(figures), nearly_all(figures), max(figures))
    return "median {:.1f}, 99 % {:.1f}, slowest {:.1f}".format(*(1000 * value for value in values))


def is_idle(broker, idle_files):
    return broker.clients() <= 0 and broker.open_files() == idle_files


def test_all_attacks_at_once(lab, seconds):
    other_user()
    attacked = Broker(lab.client, lab.directory / "attacked", POLICY, before=PRIORITY)
    quiet = Broker(lab.client, lab.directory / "quiet", POLICY, before=PRIORITY)
    idle_files = attacked.idle_files()
    with measured(lab, attacked, quiet) as hellos, Attack(lab, attacked) as attack:
        made = connects(lab, attacked, seconds)
    under_px, bare = ([seconds for seconds, _ in some] for some in made)
    print(f"{seconds:.0f} s; load {os.getloadavg()[0]:.0f}; turns of the attackers:")
    for (user, module, words), turns in attack.turns.items():
        print(f"  {user} {module} {' '.join(map(str, words))}: {turns}")
    for name, figures in hellos.items():
        print(f"hellos to the {name} broker, ms: {milliseconds(figures['hellos'])};",
              f"{len(figures['hellos'])} of them; oldest heartbeat {figures['heartbeat']:.2f} s")
    print(f"{len(bare)} connects, ms: under px {milliseconds(under_px)}; bare {milliseconds(bare)}")
    slowest = max(bare)
    late = [(seconds, waits) for seconds, waits in made[0] if seconds > slowest + LATER_CONNECT]
    print(f"later than the slowest bare one and {1000 * LATER_CONNECT:.0f} ms: {len(late)} {late};",
          "waited:", *(sum(waits > 0 for _, waits in some) for some in made))
    assert all(attack.turns.values()), "every attacker came to its work"
    of_attacked, machine = hellos["attacked"], hellos["quiet"]
    assert max(of_attacked["hellos"]) < SLOWEST_HELLO + max(machine["hellos"])
    assert of_attacked["heartbeat"] < LATE_HEARTBEAT + machine["heartbeat"]
    # With all processors busy, the kernel takes one away from any program, in the middle of a connect
    # or elsewhere, and lets packets wait. That meets one in a thousand, bare as well.
    assert nearly_all(under_px, 0.999) < nearly_all(bare, 0.999) + LATER_CONNECT
    for broker in (attacked, quiet):
        wait_until(lambda: is_idle(broker, idle_files), "no descriptor stays", PATIENCE)
        assert broker.stop() == 0, broker.log_text
        for word in ("Sanitizer", "runtime error"):
            assert word not in broker.log_text
