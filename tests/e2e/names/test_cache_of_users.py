# SPDX-License-Identifier: MIT
"""What one user's programs have looked up, and how much, is nothing to another user's."""

import subprocess

import pytest

from support.lab.three_uplinks import UPLINKS
from support.servers.hostile_name_server import address_of
from support.servers.hostile_uplink import HostileUplink
from support.unprivileged import NOBODY, build_for_all, other_user

pytestmark = pytest.mark.broker

_, LTE, VPN = UPLINKS
PROFILES = "".join(
    f'  {u.name}: {{ dns: {{ via: {u.name}, servers: ["{u.gateway}"] }} }}\n' for u in (LTE, VPN)
)
POLICY = f"""version: 1
paths:
  lte: {{ interface: lte0 }}
  vpn: {{ interface: vpn0 }}
profiles:
{PROFILES}"""
# Each answer is a thirtieth of what the cache keeps for one user, and five users may have more than it
# keeps for all.
USERS = [NOBODY - number for number in range(5)]
ANSWERS = 40
ASK = """
import ctypes, sys
libc = ctypes.CDLL(None)
room = ctypes.create_string_buffer(65535)
for name in sys.argv[1:]:
    assert libc.res_query(name.encode(), 1, 1, room, 65535) > 60000
"""


@pytest.fixture(name="servers")
def _servers(lab):
    return {name: HostileUplink(lab, name) for name in ("lte", "vpn")}


@pytest.fixture(name="broker")
def _broker(lab, servers):
    with lab.serving(POLICY) as broker:
        yield broker


def as_user(user, profile, argv):
    """The words for a program of that user."""
    words = [f"--reuid={user}" if word == f"--reuid={NOBODY}" else word for word in other_user()]
    return [*words, build_for_all() / "cli/px-exec", "--profile", profile, "--", *argv]


def look_up(lab, broker, name, profile="vpn", user=None):
    argv = ["getent", "ahostsv4", name]
    if user is None:
        return lab.px(broker, argv, profile).stdout.split()[0]
    words = as_user(user, profile, argv)
    return lab.client.run(words, env=broker.environment()).stdout.split()[0]


def test_nobody_reads_what_was_asked_of_others(lab, broker, servers):
    """A server is asked for a name that is known from another server: neither the answer nor the time
    that it takes tells what others have asked."""
    name = "secret.test"
    assert look_up(lab, broker, name, "vpn") == address_of(name)
    assert servers["lte"].asked() == []
    assert look_up(lab, broker, name, "lte", NOBODY) == address_of(name)
    assert servers["lte"].asked() == [f"A {name}"]
    assert servers["vpn"].asked() == [f"A {name}"]


def names_of(user):
    return [f"gigantic.{number}.{user}.test" for number in range(ANSWERS)]


def test_nobody_fills_it_against_others(lab, broker, servers):
    """Each of many users asks for more than there is room for; what another one knows is still there."""
    kept = "kept.test"
    assert look_up(lab, broker, kept) == address_of(kept)
    fillers = [
        lab.client.popen(
            as_user(user, "vpn", ["/usr/bin/python3", "-c", ASK, *names_of(user)]),
            env=broker.environment(),
            stderr=subprocess.PIPE,
        )
        for user in USERS
    ]
    for filler in fillers:
        assert filler.communicate(timeout=60)[1] == ""
    # What they asked first has made room for what they asked last.
    for name, times in ((names_of(NOBODY)[-1], 1), (names_of(NOBODY)[0], 2)):
        argv = ["/usr/bin/python3", "-c", ASK, name]
        lab.client.run(as_user(NOBODY, "vpn", argv), env=broker.environment())
        assert servers["vpn"].asked().count(f"A {name}") == times
    assert look_up(lab, broker, kept) == address_of(kept)
    assert servers["vpn"].asked().count(f"A {kept}") == 1
