# SPDX-License-Identifier: MIT
"""A link is cut in mid-transfer, and the transfer goes on by the other (PB-4)."""

from support.clients.transfer import transfer
from support.lab.two_links import FIRST


def test_a_cut_link_is_left(ends):
    received = transfer(ends, lambda: ends.lab.cut(FIRST))
    print(f"longest gap: {received['longest']:.3f} s")
    assert received["longest"] < 0.3


def test_lossy_links_lose_nothing(ends):
    for link in ("p1", "p2"):
        netem = ["netem", "delay", "20ms", "loss", "3%"]
        ends.lab.client.run(["tc", "qdisc", "add", "dev", link, "root", *netem])
    transfer(ends, lambda: None)
