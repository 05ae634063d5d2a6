# SPDX-License-Identifier: MIT
"""A next hop needs the broker at each connection, also for a program in another root directory."""

import pytest

from support.lab.figure3 import ROUTERS, SERVER, SOURCES, Figure3
from support.programs import program_file
from support.unprivileged import other_user

POLICY = "version: 1\npaths:\n"
POLICY += "".join(
    f"  v4-{r.name}: {{ interface: {r.interface}, gateway: {r.address} }}\n" for r in ROUTERS
)
POLICY += "profiles:\n"
POLICY += "".join(
    f"  through-{r.name}: {{ rules: [ {{ to: any, via: v4-{r.name} }} ] }}\n" for r in ROUTERS
)


@pytest.fixture
def host():
    with Figure3("metrics") as host:
        yield host


def run(host, broker, words, router):
    argv = [program_file("confined"), words, SERVER, "80"]
    return host.px(broker, argv, f"through-{router}", check=False)


@pytest.mark.parametrize(
    "words",
    ["chroot", "chroot,close", "chroot,fork", "connect,chroot,close", "connect,chroot,fork", "user"],
)
def test_after_chroot(host, words):
    if "user" in words:
        other_user()  # skips where there is none
    with host.serving(POLICY) as broker:
        for router in ("1a", "1b"):
            host.reset()
            done = run(host, broker, words, router)
            assert done.stdout.splitlines()[-1] == f"after: {SOURCES[0]}", done.stderr
            assert done.stderr == ""
            host.settle()
            assert set(host.routes_taken(SERVER)) == {(router, SOURCES[0])}


@pytest.mark.parametrize("words", ["chroot,user", "chroot,user,close", "chroot,user,fork"])
def test_after_chroot_as_another_user(host, words):
    other_user()  # skips where there is none
    with host.serving(POLICY) as broker:
        done = run(host, broker, words, "1b")
        assert done.stdout == f"after: {SOURCES[0]}\n", done.stderr
        host.settle()
        assert set(host.routes_taken(SERVER)) == {("1b", SOURCES[0])}


@pytest.mark.parametrize("words", ["network", "chroot,network"])
def test_with_its_calls_filtered_it_gets_none_and_lives(host, words):
    with host.serving(POLICY) as broker:
        done = run(host, broker, words, "1b")
        assert (done.returncode, done.stdout) == (1, "after: ENETUNREACH\n")
        assert host.routes_taken(SERVER) == {}

