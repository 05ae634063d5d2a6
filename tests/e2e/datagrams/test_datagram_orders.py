# SPDX-License-Identifier: MIT
"""One datagram socket, its peers in any order: each datagram leaves by its peer's own uplink."""

import random
import sys

import pytest

from support.lab.three_uplinks import CORPORATE, CORPORATE6, PUBLIC, PUBLIC6, PUBLIC_OTHER
from support.programs import CLIENTS

pytestmark = [pytest.mark.broker, pytest.mark.routes]

POLICY = f"""version: 1
paths:
  lte: {{ interface: lte0 }}
  vpn: {{ interface: vpn0 }}
profiles:
  orders:
    rules:
      - {{ to: [{CORPORATE}, "{CORPORATE6}"], via: vpn }}
      - {{ to: [{PUBLIC}, "{PUBLIC6}"], via: lte }}
"""

# A and B have rules, U has none, L is the host itself: see clients/datagram_orders.py.
PEERS = {
    4: {"A": CORPORATE, "B": PUBLIC, "U": PUBLIC_OTHER, "L": "127.0.0.1"},
    6: {"A": CORPORATE6, "B": PUBLIC6, "U": "2001:db8:1::1", "L": "::1"},
}
UPLINKS = {"A": "vpn", "B": "lte", "U": "lan"}
# What no order of before may change.
KNOWN = ["AUA", "ALA", "ALU", "AULUA", "ABUABU", "UA", "LA", "UALUA", "AUNA", "ALNU", "AUUNUA"]
INHERITED = ["XA", "UXA", "AUXA", "AUXUA", "ALXA", "AUAUXB"]


def fails_bare(order):
    """The kernel sends nothing to the outside from a source of the host itself. Only where px has
    put the socket back before is it another matter."""
    unsteered = order.split("A")[0].split("B")[0]
    return "L" in unsteered and "U" in unsteered.partition("L")[2].replace("N", "")


def orders(count):
    """Any, the same at each run."""
    chance = random.Random(count)
    found = [*KNOWN]
    while len(found) < count:
        order = "".join(chance.choice("AABBUULLNabul") for _ in range(7))
        if not fails_bare(order):
            found.append(order)
    return found


def walk(lab, broker, family, kind, found):
    """{order: [(letter, what became of it, own address)]}"""
    argv = [sys.executable, "-I", CLIENTS / "datagram_orders.py", kind, *PEERS[family].values()]
    lines = lab.px(broker, [*argv, *found], "orders", timeout=120).stdout.splitlines()
    words = [line.split() for line in lines]
    return {
        order: list(zip(line[::3], line[1::3], line[2::3]))
        for order, line in zip(found, words, strict=True)
    }


def check_steps(lab, family, kind, order, steps):
    """A connected socket that is sent elsewhere by sendto may fail, and leave nowhere."""
    alone = True
    for letter, said, own in steps:
        if letter.islower() and not alone:
            assert said in ("ok", "ENETUNREACH", "EINVAL"), (order, steps)
            continue
        assert said == "ok", (kind, order, steps)
        if letter in UPLINKS:
            uplink = lab.uplink(UPLINKS[letter])
            assert own == uplink.source_for(PEERS[family]["A"]), (kind, order, steps)
        if letter.isupper():
            alone = letter == "N"


def check_packets(lab, family, found):
    for letter, name in UPLINKS.items():
        peer = PEERS[family][letter]
        sent = sum(
            said == "ok" and step.upper() == letter
            for steps in found.values()
            for step, said, _ in steps
        )
        assert lab.flows.per_interface("sent", peer, protocol="udp") == {f"{name}0": sent}


@pytest.fixture
def ruled(lab):
    with lab.serving(POLICY) as broker:
        yield broker


@pytest.mark.parametrize("kind", ["fresh", "port"])
@pytest.mark.parametrize("family", [4, 6])
def test_any_order(lab, ruled, family, kind):
    found = walk(lab, ruled, family, kind, orders(120))
    for order, steps in found.items():
        check_steps(lab, family, kind, order, steps)
    check_packets(lab, family, found)


@pytest.mark.parametrize("family", [4, 6])
def test_a_socket_that_another_program_goes_on_with(lab, ruled, family):
    found = walk(lab, ruled, family, "fresh", INHERITED)
    for order, steps in found.items():
        check_steps(lab, family, "inherited", order, steps)
    check_packets(lab, family, found)
