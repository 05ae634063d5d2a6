# SPDX-License-Identifier: MIT
"""The socket calls with memory that is not there, and with lengths that are none: px reads where
the kernel would, and each call ends as it does without px."""

import pytest

from support.lab.figure3 import SERVER, SERVER6, Figure3
from support.lab.flows import FlowCounters
from support.programs import LIBPX, program_file

POLICY = """version: 1
paths:
  second: { interface: eth2 }
  v4-2b: { interface: eth2, gateway: 192.168.2.2 }
  v6-2b: { interface: eth2, gateway: "2001:db8:2::2" }
profiles:
  empty: { rules: [] }
  steered: { rules: [{ to: any, via: second }] }
  listening:
    listen: received-interface
    rules: [{ to: any, via: second }]
  next-hops: { rules: [{ to: any, via: [v4-2b, v6-2b] }] }
  all-sockets:
    bundle: { transports: [mptcp, tcp], sockets: all }
    rules: [{ to: any, via: second }]
"""
# By which router each sends. Those with rules look at more, each at something else.
ROUTERS = {
    "empty": "1a",
    "steered": "2a",
    "listening": "2a",
    "next-hops": "2b",
    "all-sockets": "2a",
}


@pytest.fixture
def host():
    with Figure3("metrics") as host:
        yield host


def attempts(destination):
    return [program_file("bad_pointers"), destination, "7777"]


def bare_run(host, destination):
    bare = host.client.run(attempts(destination))
    assert len(bare.stdout.splitlines()) > 350
    assert "died of SEGV" not in bare.stdout
    return bare.stdout.splitlines()


def differing(lines, bare):
    assert len(lines) == len(bare)
    return [pair for pair in zip(lines, bare) if pair[0] != pair[1]]


@pytest.mark.parametrize("destination", [SERVER, SERVER6])
def test_every_call_ends_as_without_px(host, destination):
    bare = bare_run(host, destination)
    flows = FlowCounters(host.client)
    with host.serving(POLICY) as broker:
        for profile, router in ROUTERS.items():
            host.reset()
            flows.reset()
            run = host.px(broker, attempts(destination), profile)
            assert differing(run.stdout.splitlines(), bare) == [], profile
            assert run.stderr == "", profile
            # Some attempts are good ones: the profile has acted on them.
            assert set(flows.left(destination)) == {f"eth{router[0]}"}, profile
            assert router in {taken for taken, _ in host.routes_taken(destination)}, profile


def test_a_program_without_a_profile(host):
    words = ["env", f"LD_PRELOAD={LIBPX}", "PX_SOCKET=/nonexistent/px.sock"]
    run = host.client.run([*words, *attempts(SERVER)])
    assert differing(run.stdout.splitlines(), bare_run(host, SERVER)) == []
