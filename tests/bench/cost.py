# SPDX-License-Identifier: MIT
"""What px costs a program, as ratios against the same work without it, taken in turns.

The rounds of one case alternate between bare and px, so that whatever else the machine does meets
both alike; the figure is the ratio of the medians.
"""

import functools
import pathlib
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.lab.three_uplinks import PUBLIC, PUBLIC_OTHER, Lab  # noqa: E402
from support.programs import BUILD, PX_EXEC  # noqa: E402

PORT = 8080
ROUNDS = 11
POLICY = """version: 1
paths:
  lan: { interface: lan0 }
profiles:
  empty: {}
  elsewhere:
    rules: [ { to: 198.18.0.0/15, via: lan } ]
  lan:
    rules: [ { to: any, via: lan } ]
  sctp:
    bundle: { transports: [sctp, tcp] }
"""


def alternate(bare, under_px):
    """Medians of both, run in turns."""
    figures = ([], [])
    for _ in range(ROUNDS):
        figures[0].append(bare())
        figures[1].append(under_px())
    return statistics.median(figures[0]), statistics.median(figures[1])


def connects(run, transport, address, count, *others):
    """The median nanoseconds of one socket, connect and close, of `count`."""
    program = BUILD / "tests" / "bench" / "connect_cost"
    return int(run([program, transport, address, PORT, count, *others]).stdout)


def datagrams(run, how, *words):
    """The median nanoseconds of one datagram of 20000."""
    program = BUILD / "tests" / "bench" / "datagram_cost"
    return int(run([program, how, PUBLIC, 7777, 20000, *words]).stdout)


def writes(run, call):
    """The median nanoseconds of one by libc, and of one as the program makes it."""
    program = BUILD / "tests" / "bench" / "write_cost"
    return [float(figure) for figure in run([program, call]).stdout.split()]


def starts(lab, broker):
    """The median nanoseconds of /bin/true by env, and by px-exec."""
    program = BUILD / "tests" / "bench" / "start_cost"
    words = ["env", "/bin/true", "--", PX_EXEC, "--profile", "lan", "/bin/true"]
    done = lab.client.run([program, 300, *words], env=broker.environment(), timeout=120)
    return map(int, done.stdout.split())


def ten_programs(run):
    """Nanoseconds of a shell that runs ten."""
    start = time.monotonic_ns()
    run(["sh", "-c", "for i in 1 2 3 4 5 6 7 8 9 10; do /bin/true; done"])
    return time.monotonic_ns() - start


CONNECTS = (
    ("tcp connect, steered by a rule", "lan", "tcp", PUBLIC, 500),
    ("udp connect, steered by a rule", "lan", "udp", PUBLIC, 5000),
    ("udp connect, no rule matches", "elsewhere", "udp", PUBLIC, 5000),
    ("udp connect, profile without rules", "empty", "udp", PUBLIC, 5000),
    ("udp connect to loopback", "lan", "udp", "127.0.0.1", 5000),
)

# Bare, the program names interface and source itself.
OWN = ("own", "lan0", "192.168.1.2")
DATAGRAMS = (
    ("datagram, steered by a rule", "lan", OWN, ("named",)),
    ("datagram, no rule matches", "elsewhere", ("named",), ("named",)),
    ("datagram, profile without rules", "empty", ("named",), ("named",)),
    ("datagram, connected socket", "lan", ("connected",), ("connected",)),
)


def main():
    with Lab() as lab:
        broker = lab.start_broker(POLICY)

        def line(name, bare, px):
            print(f"{name:<36} {bare / 1000:>10.1f} {px / 1000:>10.1f} {px / bare:>8.2f}")

        def report(name, profile, measure, measure_px=None):
            under_px = functools.partial(lab.px, broker, profile=profile)
            bare, px = alternate(
                lambda: measure(lab.client.run),
                lambda: (measure_px or measure)(under_px),
            )
            line(name, bare, px)

        print(f"{'':<36} {'bare, us':>10} {'px, us':>10} {'ratio':>8}")
        for name, profile, *arguments in CONNECTS:
            report(name, profile, lambda run: connects(run, *arguments))
        alone = ("tcp", PUBLIC, 500)
        report(
            "tcp connect, to a bundle",
            "empty",
            lambda run: connects(run, *alone),
            lambda run: connects(run, *alone, PUBLIC_OTHER),
        )
        for name, profile, bare, px in DATAGRAMS:
            measures = (lambda run: datagrams(run, *bare), lambda run: datagrams(run, *px))
            report(name, profile, *measures)
        line("the start of a program, against env", *starts(lab, broker))
        report("a shell that runs ten programs", "lan", ten_programs)

        print(f"\n{'':<36} {'libc, ns':>10} {'px, ns':>10} {'more':>8}")
        for profile in ("lan", "sctp"):
            for call in ("write", "writev", "send", "sendto", "sendmsg"):
                libc, px = writes(functools.partial(lab.px, broker, profile=profile), call)
                name = f"{call} to a socket, profile {profile}"
                print(f"{name:<36} {libc:>10.1f} {px:>10.1f} {px - libc:>8.1f}")


if __name__ == "__main__":
    main()
