# SPDX-License-Identifier: MIT
"""PX-2: every entry of PacketX's Table 1, and next hops by rule for programs without privileges."""

import re

import pytest

from support.lab.figure3 import ROUTERS, SERVER, SERVER6, SOURCES, SOURCES6, Figure3
from support.lab.host_kinds import MAIN, OWN_TABLES, SOURCE_RULES, VPN
from support.programs import PX_EXEC, PXD
from support.unprivileged import build_for_all, no_broker, other_user, without_capabilities
from support.urls import url

FAMILIES = {"ipv4": (SERVER, SOURCES, "address"), "ipv6": (SERVER6, SOURCES6, "address6")}


def policy():
    """A profile for each router: `through-1a`, and its IPv6 address too."""
    text = "version: 1\npaths:\n"
    for r in ROUTERS:
        text += f"  v4-{r.name}: {{ interface: {r.interface}, gateway: {r.address} }}\n"
        text += f'  v6-{r.name}: {{ interface: {r.interface}, gateway: "{r.address6}" }}\n'
    text += "profiles:\n"
    for r in ROUTERS:
        text += f"  through-{r.name}:\n"
        text += f"    rules: [ {{ to: any, via: [v4-{r.name}, v6-{r.name}] }} ]\n"
    return text


def other(routes, host_kind):
    return pytest.param((routes, host_kind), marks=pytest.mark.other_host)


HOSTS = [
    ("multipath", MAIN),
    ("metrics", MAIN),
    other("multipath", SOURCE_RULES),
    other("metrics", OWN_TABLES),
    other("metrics", VPN),
]


@pytest.fixture(params=HOSTS, ids="-".join)
def host(request):
    with Figure3(*request.param) as host:
        yield host


@pytest.fixture
def broker(host):
    broker = host.start_broker(policy())
    yield broker
    if broker.process.poll() is None:
        assert broker.stop() == 0, broker.log_text


def router_and_source(entry, attribute):
    """Of an entry of `pxctl paths --json`."""
    router = next(r for r in ROUTERS if getattr(r, attribute) == entry["next_hop"])
    assert router.interface == entry["interface"]
    return router.name, entry["source"]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_program_is_sent_to_each_entry_in_turn(host, broker, family):
    server, sources, attribute = FAMILIES[family]
    entries = [e for e in broker.ask("paths")["entries"] if e["family"] == family]
    numbers = {router_and_source(entry, attribute): entry["number"] for entry in entries}
    assert set(numbers) == {(r.name, source) for r in ROUTERS for source in sources}
    assert len(entries) == 8
    # One broker at a time sets next hops: from here on px-exec's own.
    assert broker.stop() == 0
    home = host.directory / "home"
    home.mkdir()
    for (router, source), number in numbers.items():
        host.reset()
        curl = [PX_EXEC, "--via", number, "curl", "-sS", "-m", "10", url(server, "/to-the-end")]
        done = host.client.run(curl, env=no_broker(home))
        assert done.stdout.split() == [source, server]
        assert set(host.routes_taken(server)) == {(router, source)}


@pytest.fixture(params=["no-capabilities", "another-user"])
def px_exec(request):
    """The words of a px-exec without privileges."""
    if request.param == "another-user":
        return [*other_user(), build_for_all() / "cli/px-exec"]
    return without_capabilities([PX_EXEC])


@pytest.mark.parametrize("server", [SERVER, SERVER6])
def test_two_programs_at_once_through_two_routers_of_one_interface(host, broker, px_exec, server):
    curl = ["curl", "-sS", "-m", "10", url(server, "/to-the-end")]
    programs = {
        router: host.client.popen(
            [*px_exec, "--profile", f"through-{router}", *curl], env=broker.environment()
        )
        for router in ("1a", "1b")
    }
    for router, program in programs.items():
        assert program.wait(20) == 0, router
    source = SOURCES6[0] if ":" in server else SOURCES[0]
    assert set(host.routes_taken(server)) == {("1a", source), ("1b", source)}


def test_what_cannot_be_had_is_refused_with_its_place(host):
    """Without the capability, at the start and at a reload, and beside another broker."""
    plain = "version: 1\nprofiles: { empty: { rules: [] } }\n"
    first = host.start_broker(plain, "first")

    def refused(text, words, why):
        file = host.directory / "refused.yaml"
        file.write_text(text)
        argv = [PXD, "--config", file, "--socket", host.directory / "refused" / "px.sock"]
        done = host.client.run([*words, *argv], check=False)
        assert done.returncode == 1
        assert re.search(rf"{file}:\d+:\d+: .*{why}", done.stderr), done.stderr

    (host.directory / "refused").mkdir()
    refused(policy(), without_capabilities([]), "CAP_NET_ADMIN")
    listening = "version: 1\nprofiles:\n  web: { rules: [], listen: received-interface }\n"
    refused(listening, without_capabilities([]), "CAP_NET_ADMIN")
    assert first.reload(policy()).returncode == 0
    refused(policy(), [], "another broker")
    assert first.reload(plain).returncode == 0
    assert not host.client.run(["ip", "route", "show", "table", "all", "proto", "112"]).stdout
    assert first.stop() == 0
