# SPDX-License-Identifier: MIT
"""The socket calls with memory that is not there, and with lengths that are none: px reads where
the kernel would, and each call ends as it does without px."""

import pytest

from support.lab.three_uplinks import CORPORATE, CORPORATE6
from support.programs import LIBPX, program_file

POLICY = """version: 1
paths:
  vpn: { interface: vpn0 }
  vpn-4: { interface: vpn0, gateway: 10.8.0.1 }
  vpn-6: { interface: vpn0, gateway: "fd08::1" }
profiles:
  empty: { rules: [] }
  steered: { rules: [{ to: any, via: vpn }] }
  listening:
    listen: received-interface
    rules: [{ to: any, via: vpn }]
  next-hops: { rules: [{ to: any, via: [vpn-4, vpn-6] }] }
  all-sockets:
    bundle: { transports: [mptcp, tcp], sockets: all }
    rules: [{ to: any, via: vpn }]
"""
# Those with rules look at more, each at something else.
PROFILES = ["empty", "steered", "listening", "next-hops", "all-sockets"]


def attempts(destination):
    return [program_file("bad_pointers"), destination, "7777"]


def bare_run(lab, destination):
    bare = lab.client.run(attempts(destination))
    assert len(bare.stdout.splitlines()) > 350
    assert "died of SEGV" not in bare.stdout
    return bare.stdout.splitlines()


def differing(lines, bare):
    assert len(lines) == len(bare)
    return [pair for pair in zip(lines, bare) if pair[0] != pair[1]]


@pytest.mark.parametrize("destination", [CORPORATE, CORPORATE6])
def test_every_call_ends_as_without_px(lab, destination):
    bare = bare_run(lab, destination)
    with lab.serving(POLICY) as broker:
        for profile in PROFILES:
            lab.flows.reset()
            run = lab.px(broker, attempts(destination), profile)
            assert differing(run.stdout.splitlines(), bare) == [], profile
            assert run.stderr == "", profile
            # Some attempts are good ones: the profile has acted on them.
            uplink = "lan0" if profile == "empty" else "vpn0"
            assert set(lab.flows.left(destination)) == {uplink}, profile


def test_a_program_without_a_profile(lab):
    words = ["env", f"LD_PRELOAD={LIBPX}", "PX_SOCKET=/nonexistent/px.sock"]
    run = lab.client.run([*words, *attempts(CORPORATE)])
    assert differing(run.stdout.splitlines(), bare_run(lab, CORPORATE)) == []
