# SPDX-License-Identifier: MIT
"""UDP servers under `listen` that answer by another socket than the one that was called, that name
their source themselves, or that are bound to one address (PX-5)."""

import subprocess
import sys

import pytest

from support.lab.three_uplinks import PUBLIC, PUBLIC6
from support.programs import SERVERS
from support.servers.datagram_server import CALLED, PORT, answered_by, call

POLICY = """version: 1
paths:
  lte: { interface: lte0 }
profiles:
  interface:
    listen: received-interface
  both:
    listen: received-interface
    rules:
      - { to: any, via: lte }
  source:
    listen: { mode: received-source, via: lte }
"""
HOWS = ["same", "connect", "new", "newto", "fresh", "child", "named", "named-interface", "bound"]
UPLINKS = ("lan0", "lte0", "vpn0")


@pytest.fixture
def listeners(lab):
    with lab.serving(POLICY) as broker:
        yield broker


def serve(lab, how, family, broker=None, profile=None):
    argv = [sys.executable, "-I", SERVERS / "per_client_server.py", how, family, PORT]
    options = {"stdout": subprocess.PIPE}
    if broker:
        server = lab.px_popen(broker, argv, profile, **options)
    else:
        server = lab.client.popen(argv, **options)
    assert server.stdout.readline() == "ready\n"


def check(lab, source, interfaces):
    """Twice: what was remembered of the first call does not count for the second."""
    called = CALLED[source]
    for order in (called, called[::-1]):
        lab.flows.reset()
        assert call(lab, source, order) == {each: each for each in called}
        assert answered_by(lab, source) == dict(zip(called, interfaces))


@pytest.mark.routes
@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("profile", ["interface", "both"])
@pytest.mark.parametrize("family, source", [("4", PUBLIC), ("6", PUBLIC6), ("both", PUBLIC)])
def test_received_interface(lab, listeners, how, profile, family, source):
    serve(lab, how, family, listeners, profile)
    check(lab, source, UPLINKS)


@pytest.mark.routes
@pytest.mark.parametrize("how", [how for how in HOWS if how != "named-interface"])
@pytest.mark.parametrize("source", [PUBLIC, PUBLIC6])
def test_received_source(lab, listeners, how, source):
    serve(lab, how, "6" if ":" in source else "4", listeners, "source")
    check(lab, source, ("lte0",) * 3)


@pytest.mark.parametrize("how", HOWS)
def test_bare(lab, how):
    """What px mends: the answer leaves by the default uplink."""
    serve(lab, how, "4")
    call(lab, PUBLIC, CALLED[PUBLIC])
    interface = set(answered_by(lab, PUBLIC).values())
    assert interface == (set(UPLINKS) if how == "named-interface" else {"lan0"})
