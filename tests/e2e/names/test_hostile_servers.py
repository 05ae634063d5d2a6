# SPDX-License-Identifier: MIT
"""Name servers that answer badly, or not to the end: it costs that one lookup, within its own time, and
says nothing about any other name."""

import json
import subprocess
import time

import pytest

from support.lab.isolation import in_place_of
from support.lab.three_uplinks import CORPORATE, UPLINKS
from support.programs import CLIENTS
from support.servers.hostile_name_server import (
    MANNERS,
    MANY,
    STREAM_MANNERS,
    VICTIM,
    addresses_of,
)
from support.servers.hostile_uplink import HostileUplink
from support.wait import wait_until

pytestmark = pytest.mark.broker

VPN = UPLINKS[2]
POLICY = f"""version: 1
paths:
  vpn: {{ interface: vpn0 }}
profiles:
  vpn:
    dns:
      via: vpn
      servers: ["{VPN.gateway}"]
      options: {{ timeout: 2s, attempts: 1 }}
  patient:
    dns: {{ via: vpn, servers: ["{VPN.gateway}"], options: {{ timeout: 8s, attempts: 1 }} }}
  without-tcp:
    dns: {{ via: vpn, servers: ["{VPN.gateway6}"], options: {{ timeout: 2s, attempts: 2 }} }}
"""
RIGHT = "right"
# What comes of each manner; of all others, "again": they are no answers.
OUTCOMES = {
    RIGHT: "wrong-ids-first own-and-other no-opt gigantic more-answers tcp-other-first",
    # Records of which none is an address of the name are, to libc, no name.
    "no name": "cut-record long-data short-address other-owner points-at-itself points-ahead "
    "points-beyond alias-points-at-itself alias-loop alias-of-itself alias-of-nothing format-error "
    "no-such-name",
}
EXPECTED = {manner: outcome for outcome, text in OUTCOMES.items() for manner in text.split()}
# libc waits for these without end.
ENDLESS = ("tcp-silent", "tcp-stops", "tcp-endless")
ALL = (*MANNERS, *STREAM_MANNERS)
COUNT = """
import socket, sys
print(len(set(socket.getaddrinfo(sys.argv[1], 80, socket.AF_INET, socket.SOCK_STREAM))))
"""
# In the time that the policy says, and what a busy machine adds.
LONGEST = 15


@pytest.fixture(name="server")
def _server(lab):
    return HostileUplink(lab, "vpn")


@pytest.fixture(name="broker")
def _broker(lab, server):
    with lab.serving(POLICY) as broker:
        yield broker


def named(manners, domain):
    return [f"{manner}.{domain}.test" for manner in manners]


def words_for(names):
    return ["/usr/bin/python3", CLIENTS / "look_up.py", *names]


def outcomes(text):
    """By manner, whether the one right address came, or which error."""
    found = json.loads(text)
    assert max(seconds for _, seconds in found.values()) < LONGEST
    return {
        name.split(".")[0]: RIGHT if result == sorted(addresses_of(name)) else result
        for name, (result, _) in found.items()
    }


def look_up(lab, broker, names, profile="vpn"):
    return outcomes(lab.px(broker, words_for(names), profile).stdout)


def all_is_well(lab, broker, domain):
    """Names that nobody was asked for yet, and those that bad answers spoke of, are what they are."""
    names = [*named(["one", "two", "three"], domain), VICTIM, "round.test", "nowhere.victim.test"]
    assert set(look_up(lab, broker, names).values()) == {RIGHT}


def nothing_stays(broker, before):
    """Connections are closed by another process, some moments after their programs have gone."""
    wait_until(lambda: broker.idle_files() == before, "no descriptor stays with the broker", 60)


def test_each_manner_costs_one_lookup(lab, broker):
    all_is_well(lab, broker, "before")
    before = broker.idle_files()
    found = look_up(lab, broker, named(ALL, "first"))
    assert found == {manner: EXPECTED.get(manner, "again") for manner in ALL}
    all_is_well(lab, broker, "after")
    # What is remembered of them is no worse.
    again = look_up(lab, broker, named(EXPECTED, "first"))
    assert again == EXPECTED
    nothing_stays(broker, before)


def test_libc_fails_at_the_same(lab, broker, server):
    """A program without px finds the address of no name more than one under px does, but where libc
    reads more than it should: pointers that lead ahead, and by TCP the reply to another question."""
    resolver = lab.directory / "resolv.conf"
    resolver.write_text(f"nameserver {VPN.gateway}\noptions timeout:2 attempts:1\n")
    left_out = (*ENDLESS, "points-ahead", "tcp-other-first", "tcp-other-question")
    names = named([manner for manner in ALL if manner not in left_out], "bare")
    with in_place_of("/etc/resolv.conf", resolver):
        found = outcomes(lab.client.run(words_for(names)).stdout)
    for manner, outcome in found.items():
        expected = EXPECTED.get(manner, "again")
        assert outcome != RIGHT or expected == RIGHT, manner
        # What is to be tried again is no other error.
        assert outcome != "again" or expected in ("again", RIGHT), manner


def test_others_do_not_wait(lab, broker):
    """Of one server: lookups that it answers are not behind those that it lets wait."""
    before = broker.idle_files()
    words = words_for(named(["silent", *ENDLESS], "long"))
    waiting = lab.px_popen(broker, words, "patient", stdout=subprocess.PIPE)
    all_is_well(lab, broker, "beside")
    assert waiting.poll() is None
    found = outcomes(waiting.communicate(timeout=30)[0])
    assert set(found.values()) == {"again"}
    nothing_stays(broker, before)


def test_a_server_without_opt_fails_no_other_lookup(lab, broker, server):
    """FORMERR, while many lookups of one program and another are under way."""
    names = [f"no-opt.{i}.test" for i in range(40)]
    other = lab.px_popen(
        broker, words_for([f"good.{i}.test" for i in range(40)]), "vpn", stdout=subprocess.PIPE
    )
    assert set(look_up(lab, broker, names).values()) == {RIGHT}
    assert set(outcomes(other.communicate(timeout=30)[0]).values()) == {RIGHT}
    assert server.asked().count("A no-opt.0.test") == 2


def test_a_server_without_tcp(lab, broker):
    before = broker.idle_files()
    found = look_up(lab, broker, named(["gigantic", "tcp-half", "good"], "refused"), "without-tcp")
    assert found == {"gigantic": "again", "tcp-half": "again", "good": RIGHT}
    nothing_stays(broker, before)


def test_a_gigantic_answer_comes_whole(lab, broker, server):
    for _ in range(2):
        done = lab.px(broker, ["/usr/bin/python3", "-c", COUNT, "gigantic.whole.test"], "vpn")
        assert int(done.stdout) == MANY
    assert server.asked().count("A gigantic.whole.test") == 1  # and then the cache has it


def test_a_device_that_goes_and_comes(lab, broker, server):
    """While lookups wait for a datagram, for a connection and for the rest of a stream."""
    before = broker.idle_files()
    words = words_for(named(["silent", *ENDLESS], "gone"))
    waiting = lab.px_popen(broker, words, "vpn", stdout=subprocess.PIPE)
    wait_until(lambda: "A tcp-stops.gone.test" in server.asked(), "they are under way")
    remove(lab)
    wait_until(lambda: not usable(broker), "the broker has seen it")
    assert set(outcomes(waiting.communicate(timeout=30)[0]).values()) == {"again"}
    assert set(look_up(lab, broker, named(["good"], "while-gone")).values()) == {"again"}
    bring_back(lab)
    wait_until(lambda: usable(broker), "the broker has seen it")
    all_is_well(lab, broker, "back")
    nothing_stays(broker, before)


def usable(broker):
    report = broker.ask("explain", "curl", CORPORATE, "--profile", "vpn")
    return all(server["usable"] for server in report["dns"]["servers"])


def remove(lab):
    lab.client.ip(f"link del {VPN.interface}")


def bring_back(lab):
    """A new device of the same name."""
    lab.routers["vpn"].ip(
        f"link add client index 101 type veth peer name {VPN.interface} netns client",
        f"address add {VPN.gateway}/24 dev client",
        "link set client up",
    )
    lab.restore("vpn")


# Where libc asks, px has it ask for the CNAMEs in between once more: not for as long as libc would.
def test_a_server_that_drops_the_second_question(lab, tmp_path):
    HostileUplink(lab, "lan")
    resolver = tmp_path / "resolv.conf"
    resolver.write_text(f"nameserver {UPLINKS[0].gateway}\n", encoding="utf-8")
    policy = """version: 1
profiles: { by-name: { rules: [{ to: "*.corp.test", action: block }] } }
"""
    look_up = "import socket; print(socket.getaddrinfo('alias-once.test', 80, type=1)[0][4][0])"
    with in_place_of("/etc/resolv.conf", resolver), lab.serving(policy) as broker:
        begin = time.monotonic()
        found = lab.px(broker, ["/usr/bin/python3", "-c", look_up], "by-name").stdout.strip()
        # libc asks twice, and waits for five seconds each time.
        assert time.monotonic() - begin < 9
    assert found == addresses_of("alias-once.test")[0]
