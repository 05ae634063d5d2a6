# SPDX-License-Identifier: MIT
"""Programs that are linked with libbundle.so, over SCTP and without px: bound to exactly the
addresses of a bundle, connected by whichever of them is there."""

import pytest

from support.lab.two_links import BUNDLE, FIRST, FIRST6, SECOND
from support.programs import BUILD
from support.wait import wait_until

SCTP, PORT = "132", "7000"


def program(name):
    return BUILD / "tests/libbundle" / name


def bound(end):
    """The addresses at which an end listens on the port."""
    lines = end.run(["cat", "/proc/net/sctp/eps"]).stdout.splitlines()[1:]
    return [set(line.split()[8:]) for line in lines if line.split()[5] == PORT]


@pytest.fixture
def server(lab):
    lab.server.popen([program("bundle_serve"), BUNDLE, PORT, SCTP])
    wait_until(lambda: bound(lab.server), "the server listens")
    return lab.server


def get(lab, notation, check=True):
    argv = [program("bundle_get"), notation, PORT, SCTP, "/"]
    return lab.client.run(argv, timeout=30, check=check)


def test_bound_to_exactly_those(lab, server):
    assert bound(server) == [{FIRST, SECOND}]
    assert get(lab, f"<{FIRST6}>", check=False).returncode == 1


def test_the_first_answers(lab, server):
    assert get(lab, BUNDLE).stdout.endswith("\n10.1.0.1\n")


def test_the_first_is_dead(lab, server):
    lab.cut(FIRST)
    assert get(lab, BUNDLE).stdout.endswith("\n10.2.0.1\n")


def test_nobody_is_there(lab):
    done = get(lab, BUNDLE, check=False)
    assert "bundle_connect: Connection refused" in done.stderr
