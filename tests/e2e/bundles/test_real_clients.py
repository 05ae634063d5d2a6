# SPDX-License-Identifier: MIT
"""Unmodified clients, each given a bundle.

With the first member dead they reach their server by the second, where most would hang for minutes
or never arrive without px. With it alive they send as many SYNs as bare; test_bundle_connect.py
compares every packet of a small client. How long they take: tests/bench/dead_member.py.
"""

import pytest

from support.clients import real_clients
from support.clients.client_runs import ClientRuns, Round
from support.clients.fetch_java import fetch_java
from support.lab.member_networks import ALIVE, DEAD, MemberNetworks

DEADLINE = 20
HANGS = 2  # seconds, after which a client that tries the dead member alone counts as hanging
AT_ONCE = 4
CLIENTS = real_clients.clients(java=[])
NAMES = [client.name for client in CLIENTS]
IPV4_ALONE = [client.name for client in CLIENTS if client.ipv4_alone]
FAMILIES = {"two-ipv4": (4, 4), "ipv6-and-ipv4": (6, 4), "ipv4-and-ipv6": (4, 6)}


def rounds(state, first_number):
    return [
        Round(number, families, state)
        for number, families in enumerate(FAMILIES.values(), first_number)
    ]


WITH_DEAD = rounds(DEAD, 0)
WITH_ALIVE = [rounds(ALIVE, number) for number in (3, 6, 9)]
BARE = [rounds(ALIVE, number) for number in (12, 15, 18)]
OUT_OF_REACH = [Round(number, (4, 6), DEAD) for number in (21, 22)]
every_pair = pytest.mark.parametrize("which", range(len(FAMILIES)), ids=FAMILIES)
every_client = pytest.mark.parametrize("name", NAMES)


def reaching():
    """(which, name) where the client can have a socket for the second member."""
    for which, (pair, families) in enumerate(FAMILIES.items()):
        for client in CLIENTS:
            if client.ipv4_alone and families == (4, 6):
                continue
            yield pytest.param(which, client.name, id=f"{client.name}-{pair}")


@pytest.fixture(scope="module")
def client_runs(tmp_path_factory):
    with MemberNetworks() as lab:
        client_runs = ClientRuns(lab, fetch_java(tmp_path_factory.mktemp("java")))
        under_px = [OUT_OF_REACH[1], *WITH_DEAD, *(each for turn in WITH_ALIVE for each in turn)]
        with lab.serving(client_runs.policy(under_px)) as broker:
            yield client_runs, broker


@pytest.fixture(scope="module")
def with_dead(client_runs):
    client_runs, broker = client_runs
    return [
        client_runs.of_all(
            client_runs.under_px,
            broker,
            WITH_DEAD[which],
            DEADLINE,
            at_once=AT_ONCE,
            names=[param.values[1] for param in reaching() if param.values[0] == which],
        )
        for which in range(len(WITH_DEAD))
    ]


@pytest.fixture(scope="module")
def with_alive(client_runs):
    """For each pair of families, {name: (attempts bare, the run under px, its attempts)}."""
    client_runs, broker = client_runs
    return [compared(client_runs, broker, which) for which in range(len(FAMILIES))]


def compared(client_runs, broker, which):
    bare, under_px, again = {}, {}, NAMES
    # A client that races addresses by itself may by chance find the first one slow, in either run.
    for bare_turn, turn in zip(BARE, WITH_ALIVE):
        options = {"at_once": AT_ONCE, "names": again}
        runs = client_runs.of_all(client_runs.bare, bare_turn[which], DEADLINE, **options)
        assert all(run.arrived for run in runs.values()), runs
        sent = client_runs.attempts(bare_turn[which])
        for name in again:
            bare[name] = max(bare.get(name, 0), sent[name])
        runs = client_runs.of_all(client_runs.under_px, broker, turn[which], DEADLINE, **options)
        sent = client_runs.attempts(turn[which])
        for name in again:
            if name not in under_px or sent[name] < under_px[name][1]:
                under_px[name] = runs[name], sent[name]
        again = [name for name in NAMES if under_px[name][1] > bare[name]]
        if not again:
            break
    return {name: (bare[name], *under_px[name]) for name in NAMES}


@pytest.mark.parametrize("which, name", reaching())
def test_a_dead_member_keeps_no_client_away(with_dead, which, name):
    assert with_dead[which][name].arrived, with_dead[which][name].output


@pytest.fixture(scope="module")
def out_of_reach(client_runs):
    """{name: (the run bare, the run under px)} of clients that do not try the member that is
    alive."""
    client_runs, broker = client_runs
    options = {"at_once": len(IPV4_ALONE), "names": IPV4_ALONE}
    bare = client_runs.of_all(client_runs.bare, OUT_OF_REACH[0], HANGS, **options)
    under_px = client_runs.of_all(client_runs.under_px, broker, OUT_OF_REACH[1], HANGS, **options)
    return {name: (bare[name], under_px[name]) for name in IPV4_ALONE}


@pytest.mark.parametrize("name", IPV4_ALONE)
def test_clients_of_ipv4_alone_fare_no_worse_than_bare(out_of_reach, name):
    bare, under_px = out_of_reach[name]
    assert under_px.arrived >= bare.arrived, under_px.output
    assert bare.hangs >= under_px.hangs, under_px.output


@every_pair
@every_client
def test_a_bundle_that_is_alive_costs_no_attempt(with_alive, which, name):
    bare, run, sent = with_alive[which][name]
    assert run.arrived, run.output
    assert sent <= bare
