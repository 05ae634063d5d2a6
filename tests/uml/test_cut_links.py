# SPDX-License-Identifier: MIT
"""A link is cut in mid-transfer, and the transfer goes on by the other (PB-4)."""

import json
import socket
import subprocess
import sys

from support.lab.two_links import FIRST, SPELLED
from support.programs import SERVERS

SEND = """
import hashlib, socket, sys, time
peer = socket.create_connection((sys.argv[1], 7001))
digest, end, piece = hashlib.sha256(), time.monotonic() + float(sys.argv[2]), 0
while time.monotonic() < end:
    data = piece.to_bytes(4, "big") * 1000
    piece += 1
    digest.update(data)
    peer.sendall(data)
    if piece == 20:
        print("under way", flush=True)
    time.sleep(0.01)
peer.close()
print(digest.hexdigest())
"""


def transfer(ends, meanwhile, members=SPELLED, seconds=4):
    """What the receiver says of it, once both ends agree on what was sent."""
    words = [sys.executable, SERVERS / "gap_receiver.py", str(int(socket.AF_INET)), "0.0.0.0", "0"]
    receiver = ends.serve(words, 7001, stdout=subprocess.PIPE)
    words = [sys.executable, "-c", SEND, members, str(seconds)]
    sender = ends.start(words, profile="all", stdout=-1)
    assert sender.stdout.readline() == "under way\n"
    meanwhile()
    sent = sender.communicate(timeout=60)[0].strip()
    received = json.loads(receiver.communicate(timeout=60)[0])
    assert received["digest"] == sent
    return received


def test_a_cut_link_is_left(ends):
    received = transfer(ends, lambda: ends.lab.cut(FIRST))
    print(f"longest gap: {received['longest']:.3f} s")
    assert received["longest"] < 0.3


def test_lossy_links_lose_nothing(ends):
    for link in ("p1", "p2"):
        netem = ["netem", "delay", "20ms", "loss", "3%"]
        ends.lab.client.run(["tc", "qdisc", "add", "dev", link, "root", *netem])
    transfer(ends, lambda: None)
