# SPDX-License-Identifier: MIT
"""What a name costs under a profile with `dns`, as ratios against libc's own lookup of a name at the
same name server, taken in turns.

What else the machine does only adds: the figure of one program is the ratio of the least times, that
of many programs the ratio of the least times that all of them took together.
"""

import itertools
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.lab.three_uplinks import CORPORATE, CORPORATE6, UPLINKS, Lab  # noqa: E402
from support.programs import BUILD, PX_EXEC  # noqa: E402
from support.servers.uplink_name_servers import name_servers  # noqa: E402

LAN = UPLINKS[0]  # whose server is the host's, too
POLICY = f"""version: 1
paths:
  lan: {{ interface: lan0 }}
profiles:
  names:
    dns: {{ via: lan, servers: ["{LAN.gateway}"] }}
"""
ROUNDS = 9
PROGRAM = BUILD / "tests" / "bench" / "lookup_cost"
UNDER_PX = [PX_EXEC, "--profile", "names"]
LOOKUPS = 300  # of a thread
THREADS = [4] * 4 + [3] * 16  # of each program: 64 in 20
KINDS = (("libc", [], ()), ("px, not in the cache", UNDER_PX, ()), ("px, cached", UNDER_PX, ("same",)))
prefixes = (f"name{number}" for number in itertools.count())


def one(lab, broker, before, how):
    words = [*before, PROGRAM, 1, LOOKUPS, next(prefixes), *how]
    return int(lab.client.run(words, env=broker.environment(), timeout=120).stdout.split()[0])


def many(lab, broker, before, how):
    """Nanoseconds until all have ended."""
    start = time.monotonic_ns()
    programs = [
        lab.client.popen(
            [*before, PROGRAM, threads, LOOKUPS, next(prefixes), *how],
            env=broker.environment(),
            stdout=subprocess.DEVNULL,
        )
        for threads in THREADS
    ]
    for program in programs:
        assert program.wait() == 0
    return time.monotonic_ns() - start


def table(name, unit, measure):
    figures = [[] for _ in KINDS]
    for _ in range(ROUNDS):
        for (_, before, how), those in zip(KINDS, figures):
            those.append(measure(before, how))
    libc = min(figures[0])
    for (kind, _, _), those in zip(KINDS, figures):
        print(f"{name + ': ' + kind:<52} {min(those) / unit:>10.1f} {min(those) / libc:>8.2f}")


def main():
    answers = ["--local-ttl=600", f"--address=/test/{CORPORATE}", f"--address=/test/{CORPORATE6}"]
    own = {"lan": answers}
    with Lab() as lab, name_servers(lab, {"lan": "", "lte": "", "vpn": ""}, own=own):
        broker = lab.start_broker(POLICY)
        print(f"{'':<52} {'':>10} {'ratio':>8}")
        table("a lookup, us", 1e3, lambda *how: one(lab, broker, *how))
        work = f"{sum(THREADS)} threads in {len(THREADS)} programs, ms"
        table(work, 1e6, lambda *how: many(lab, broker, *how))


if __name__ == "__main__":
    main()
