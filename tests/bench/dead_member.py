# SPDX-License-Identifier: MIT
"""How long real clients take to reach a server whose first address is dead, beyond what they take
where it is alive. Under px they are given a bundle; with --bare also, without px, a name that has
the same addresses. Most hang then, which takes five minutes more.

Prints a table in Markdown, in seconds (`never`: not within WAIT), and a summary.
"""

import argparse
import concurrent.futures
import pathlib
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support.clients.client_runs import ClientRuns, Round  # noqa: E402
from support.clients.fetch_java import fetch_java  # noqa: E402
from support.lab.member_networks import ALIVE, DEAD, MemberNetworks  # noqa: E402

TURNS = 3
DEADLINE = 20
WAIT = 290
PAIRS = {"two IPv4": (4, 4), "IPv6, IPv4": (6, 4), "IPv4, IPv6": (4, 6)}
NEVER = float("inf")


def rounds(state, first_number):
    """{pair: the rounds of its turns}"""
    return {
        pair: [Round(first_number + TURNS * place + turn, families, state) for turn in range(TURNS)]
        for place, (pair, families) in enumerate(PAIRS.items())
    }


WITH_DEAD, WITH_ALIVE = rounds(DEAD, 0), rounds(ALIVE, TURNS * len(PAIRS))
BARE = {
    pair: Round(100 + place, families, DEAD)
    for place, (pair, families) in enumerate(PAIRS.items())
}


def median(run, rounds):
    """Of what run() takes in each of the rounds; NEVER where it does not arrive in one of them."""
    taken = []
    for each in rounds:
        one = run(each)
        if not one.arrived:
            return NEVER
        taken.append(one.seconds)
    return statistics.median(taken)


def extra_seconds(client_runs, broker, name, pair):
    """What the dead member costs under px: the start of a program costs what it costs without."""

    def run(each):
        return client_runs.under_px(name, broker, each, DEADLINE)

    with_dead = median(run, WITH_DEAD[pair])
    return max(0.0, with_dead - median(run, WITH_ALIVE[pair])) if with_dead < NEVER else NEVER


def bare_seconds(client_runs):
    """{pair: {name: seconds}}, start included: all at once, since they mostly wait."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        options = {"at_once": len(client_runs.clients), "names": list(client_runs.clients)}
        futures = {
            pair: pool.submit(client_runs.of_all, client_runs.bare, each, WAIT, **options)
            for pair, each in BARE.items()
        }
        return {
            pair: {
                name: run.seconds if run.arrived else NEVER
                for name, run in future.result().items()
            }
            for pair, future in futures.items()
        }


def shown(value):
    return "never" if value == NEVER else f"{value:.2f}" if value < 10 else f"{value:.0f}"


def row(cells):
    print(f"| {' | '.join(cells)} |", flush=True)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--bare", action="store_true", help="also without px: five minutes more")
    options = options.parse_args()
    with MemberNetworks() as lab:
        java = lab.directory / "java"
        java.mkdir()
        client_runs = ClientRuns(lab, fetch_java(java))
        trials = [*WITH_DEAD.values(), *WITH_ALIVE.values()]
        broker = lab.start_broker(client_runs.policy([each for turns in trials for each in turns]))
        bare = bare_seconds(client_runs) if options.bare else None
        columns = ("bare", "px") if bare else ("px",)
        row(["client", *(f"{pair}: {column}" for pair in PAIRS for column in columns)])
        row(["---"] * (1 + len(PAIRS) * len(columns)))
        every = []
        for name in client_runs.clients:
            cells = [name]
            for pair in PAIRS:
                every.append(extra_seconds(client_runs, broker, name, pair))
                cells += [*([shown(bare[pair][name])] if bare else []), shown(every[-1])]
            row(cells)
        quick = sum(extra <= 0.5 for extra in every)
        print(f"{quick} of {len(every)} within 0.5 s, the last after {shown(max(every))} s")


if __name__ == "__main__":
    main()
