# SPDX-License-Identifier: MIT
"""Programs that shut themselves off before their first connection: another root directory, another
user, no Unix sockets, no descriptor left, a filter of system calls. They are steered all the same."""

import pytest

from support.lab.broker import POLICY
from support.lab.three_uplinks import CORPORATE, PUBLIC
from support.programs import program_file, unpacked
from support.servers import real_servers
from support.unprivileged import other_user

WAYS = [
    "chroot",
    "rawchroot",
    "chroot,fork",
    "fork,chroot",
    "nounix",
    "nounix,fork",
    "full",
    "full,fork",
    "network",
    "rawnetwork",
    "heap,network",
    "heap,rawnetwork",
    "connect,chroot,fork",
    "connect,fork,nounix",
]
AS_ROOT = ["user", "chroot,user", "chroot,user,fork", "chroot,user,nounix", "chroot,user,network"]
# Its profile is another one if it matches; nobody knows without asking.
MATCHING = POLICY.replace("  empty:\n", "  empty:\n    match: [ { exe: /nowhere/at/all } ]\n")


def assert_steered(lab, broker, words, run=None):
    argv = [program_file("confined"), words, CORPORATE, "80"]
    done = (run or lab.px)(broker, argv)
    before = ["before: 10.8.0.2"] if "connect" in words else []
    assert done.stdout.splitlines() == [*before, "after: 10.8.0.2"]
    assert done.stderr == ""
    assert set(lab.flows.left(CORPORATE)) == {"vpn0"}


@pytest.mark.parametrize("words", WAYS)
def test_a_confined_program(lab, broker, words):
    assert_steered(lab, broker, words)


@pytest.mark.parametrize("words", AS_ROOT)
def test_a_program_that_drops_its_user(lab, broker, words):
    other_user()  # skips where there is none
    assert_steered(lab, broker, words)


@pytest.mark.parametrize("words", ["chroot", "network", "rawchroot,fork"])
def test_a_confined_program_whose_profile_has_to_be_asked_for(lab, words):
    policy = MATCHING + f"  chosen:\n    match: [ {{ exe: {program_file('confined')} }} ]\n"
    policy += "    rules: [ { to: any, via: vpn } ]\n"
    with lab.serving(policy) as broker:
        assert_steered(
            lab, broker, words, lambda broker, argv: lab.client.run([*broker.preload_words(), *argv])
        )


@pytest.mark.parametrize("words", ["chroot", "nounix", "network"])
def test_under_a_profile_without_rules_it_goes_as_bare(lab, broker, words):
    argv = [program_file("confined"), words, PUBLIC, "80"]
    bare = lab.client.run(argv)
    assert lab.px(broker, argv, "empty").stdout == bare.stdout == "after: 192.168.1.2\n"


@pytest.mark.parametrize("words", ["bare", "connect,bare", "fork,bare"])
def test_where_the_filter_leaves_px_no_call_nothing_leaves(lab, broker, words):
    argv = [program_file("confined"), words, CORPORATE, "80"]
    assert lab.client.run(argv).stdout.endswith("after: 192.168.1.2\n")
    lab.flows.reset()
    done = lab.px(broker, argv, check=False)
    assert done.stdout.endswith("after: ENETUNREACH\n")
    assert set(lab.flows.left(CORPORATE)) <= {"vpn0"}


def test_without_a_broker_a_confined_program_fails_closed(lab, broker):
    words = broker.preload_words(PX_PROFILE="vpn-split")
    broker.kill()
    for path in (broker.directory / "plan-v3").iterdir():
        path.unlink()
    argv = [*words, program_file("confined"), "nounix", CORPORATE, "80"]
    done = lab.client.run(argv, check=False)
    assert done.stdout == "after: ENETUNREACH\n"
    assert lab.flows.left(CORPORATE) == {}


@pytest.mark.parametrize("level", ["0", "1", "2"])
def test_chronyd_with_its_filter(lab, broker, level):
    real_servers.chronyd(lab, CORPORATE)
    own = ["-d", "-x", "-Q", "-t", "4", "-u", "root", "-F", level]
    lines = [f"server {CORPORATE} iburst maxsamples 1", "cmdport 0"]
    lines.append(f"pidfile {lab.directory}/chronyd-client.pid")
    argv = [unpacked("chrony", "usr/sbin/chronyd"), *own, *lines]
    assert lab.client.run(argv, check=False).returncode == 0
    lab.flows.reset()
    assert lab.px(broker, argv, check=False).returncode == 0
    assert set(lab.flows.left(CORPORATE)) == {"vpn0"}


# With the host's name server it would talk to that before its chroot.
HAPROXY = """
resolvers default
  nameserver own 127.0.0.1:53
global
  chroot {directory}
  {user}
defaults
  mode http
  timeout connect 5s
  timeout client 5s
  timeout server 5s
listen all
  bind 127.0.0.1:8888
  server one {address}:8080
"""


@pytest.mark.parametrize("user", ["", "uid 65534\n  gid 65534"], ids=["root", "nobody"])
def test_haproxy_as_debian_configures_it(lab, broker, user):
    if user:
        other_user()  # skips where there is none
    directory = lab.directory / "haproxy"
    directory.mkdir()
    config = lab.directory / "haproxy.cfg"
    config.write_text(HAPROXY.format(directory=directory, user=user, address=CORPORATE))
    argv = [unpacked("haproxy", "usr/sbin/haproxy"), "-db", "-f", config]
    lab.px_popen(broker, argv)
    lab.client.listens(8888)
    answer = lab.client.run(["curl", "-sS", "--max-time", "20", "http://127.0.0.1:8888/"]).stdout
    assert answer.split()[0] == "10.8.0.2"
    assert set(lab.flows.left(CORPORATE)) == {"vpn0"}
