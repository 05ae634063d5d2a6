# SPDX-License-Identifier: MIT
"""A transfer over SCTP between two programs under px, at the ends of two_links.py."""

import json
import socket
import subprocess
import sys

from support.lab.two_links import SPELLED
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
    """Calls `meanwhile` once it is under way. Returns the receiver's report, once both ends agree
    on what was sent."""
    script = SERVERS / "gap_receiver.py"
    words = [sys.executable, script, str(int(socket.AF_INET)), "0.0.0.0", "0"]
    receiver = ends.serve(words, 7001, stdout=subprocess.PIPE)
    words = [sys.executable, "-c", SEND, members, str(seconds)]
    sender = ends.start(words, profile="all", stdout=-1)
    assert sender.stdout.readline() == "under way\n"
    meanwhile()
    sent = sender.communicate(timeout=60)[0].strip()
    received = json.loads(receiver.communicate(timeout=60)[0])
    assert received["digest"] == sent
    return received
