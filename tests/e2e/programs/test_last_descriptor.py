# SPDX-License-Identifier: MIT
"""A program whose sockets are the last descriptors that it may have: px's own needs do not fail its
calls, and nothing of them is left."""

import sys

import pytest

from support.lab.figure3 import SERVER, SERVER6, Figure3

POLICY = """version: 1
paths:
  second: { interface: eth2 }
  v4-2b: { interface: eth2, gateway: 192.168.2.2 }
  v6-2b: { interface: eth2, gateway: "2001:db8:2::2" }
profiles:
  plain: { rules: [{ to: any, via: second }] }
  next-hops: { rules: [{ to: any, via: [v4-2b, v6-2b] }] }
"""
SCRIPT = """
import os, resource, socket, sys
limit = 40
destination, free = sys.argv[1], int(sys.argv[2])
family = socket.AF_INET6 if ":" in destination else socket.AF_INET
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
stream, datagrams = socket.socket(family), socket.socket(family, socket.SOCK_DGRAM)
resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
taken = []
try:
    while True:
        taken.append(os.dup(0))
except OSError:
    pass
for _ in range(free):
    os.close(taken.pop())
stream.connect((destination, 80))
datagrams.sendto(b"x", (destination, 7777))
print(stream.getsockname()[0])
assert resource.getrlimit(resource.RLIMIT_NOFILE) == (limit, hard)
for _ in range(free):
    os.dup(0)
try:
    os.dup(0)
except OSError as error:
    print(error.strerror)
"""


@pytest.mark.parametrize("destination", [SERVER, SERVER6])
@pytest.mark.parametrize(("profile", "router"), [("plain", "2a"), ("next-hops", "2b")])
def test_it_connects_by_the_rule(destination, profile, router):
    source = "2001:db8:2::10" if ":" in destination else "192.168.2.10"
    with Figure3("metrics") as host, host.serving(POLICY) as broker:
        for free in range(4):
            host.reset()
            run = host.px(broker, [sys.executable, "-c", SCRIPT, destination, free], profile)
            assert run.stdout == f"{source}\nToo many open files\n", free
            assert run.stderr == ""
            assert (router, source) in host.routes_taken(destination)
