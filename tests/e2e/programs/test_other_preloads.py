# SPDX-License-Identifier: MIT
"""Programs into which another library is preloaded beside libpx.so: what it fakes for the program,
it does not fake for px."""

import pytest

from support.lab.three_uplinks import CORPORATE
from support.programs import program_file
from support.wait import wait_until

POLICY = """version: 1
broker: { on-loss: ON_LOSS }
paths:
  vpn: { interface: vpn0 }
profiles:
  steered: { rules: [{ to: any, via: vpn }] }
"""
CONNECT = [program_file("connect_twice"), CORPORATE, "80"]


@pytest.mark.parametrize("on_loss", ["system", "block"])
@pytest.mark.parametrize("time", ["+10 years", "-10 years", "2020-01-01 00:00:00"])
def test_a_faked_clock(lab, on_loss, time):
    with lab.serving(POLICY.replace("ON_LOSS", on_loss)) as broker:
        plain = lab.px(broker, CONNECT, "steered")
        lab.flows.reset()
        faked = lab.px(broker, ["faketime", time, *CONNECT], "steered")
        assert faked.stdout == plain.stdout
        assert set(lab.flows.left(CORPORATE)) == {"vpn0"}


def test_a_faked_clock_hides_no_broker_that_is_gone(lab):
    broker = lab.start_broker(POLICY.replace("ON_LOSS", "block"))
    argv = ["faketime", "2020-01-01 00:00:00", *CONNECT]
    lab.px(broker, argv, "steered")
    broker.kill()
    lab.flows.reset()
    preloaded = [*broker.preload_words(PX_PROFILE="steered"), *argv]
    wait_until(lambda: "ENETUNREACH" in lab.client.run(preloaded).stdout, "on-loss is in force")
    lab.flows.reset()
    lab.client.run(preloaded)
    assert lab.flows.left(CORPORATE) == {}


def test_faketime_says_nothing_that_it_does_not_say_without_px(lab):
    argv = ["faketime", "2020-01-01 00:00:00", "date", "+%Y"]
    bare = lab.client.run(argv)
    assert bare.stdout == "2020\n"
    with lab.serving(POLICY.replace("ON_LOSS", "system")) as broker:
        run = lab.px(broker, argv, "steered")
    assert (run.stdout, run.stderr) == (bare.stdout, bare.stderr)
