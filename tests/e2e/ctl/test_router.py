# SPDX-License-Identifier: MIT
"""PX-7: next hops that the routing table does not show, added and deleted by hand."""

import json

import pytest

from support.lab.broker import POLICY, Broker
from support.programs import PXD
from support.unprivileged import build_for_all, other_user
from support.wait import wait_until

pytestmark = pytest.mark.broker

ROUTER = "192.168.1.254"
ROUTER6 = "2001:db8:1::fe"


def next_hops(broker, interface="lan0"):
    entries = broker.ask("paths")["entries"]
    return {entry["next_hop"] for entry in entries if entry["interface"] == interface}


def test_an_added_router_is_a_next_hop_of_its_interface(broker):
    assert f"{ROUTER} is a next hop of lan0." in broker.pxctl("router", "add", ROUTER).stdout
    answer = broker.ask("router", "add", ROUTER6)
    assert answer["ok"] and answer["router"] == ROUTER6 and answer["interfaces"] == ["lan0"]
    for router, own in ((ROUTER, "192.168.1.2"), (ROUTER6, "2001:db8:1::2")):
        entries = [e for e in broker.ask("paths")["entries"] if e["next_hop"] == router]
        assert {entry["interface"] for entry in entries} == {"lan0"}
        assert own in {entry["source"] for entry in entries}
        assert all(entry["needs_mark"] and not entry["default_next_hop"] for entry in entries)
    assert {"192.168.1.1", "2001:db8:1::1"} <= next_hops(broker)
    assert broker.ask("paths")["routers"] == [
        {"router": ROUTER, "interfaces": ["lan0"]},
        {"router": ROUTER6, "interfaces": ["lan0"]},
    ]
    text = broker.pxctl("paths").stdout
    assert f"Added routers: {ROUTER}, {ROUTER6}" in text
    assert any({"lan0", ROUTER} <= set(line.split()) for line in text.splitlines())


def test_a_deleted_router_is_gone(broker):
    broker.pxctl("router", "add", ROUTER)
    broker.pxctl("router", "delete", ROUTER)
    assert ROUTER not in next_hops(broker)
    assert broker.ask("paths")["routers"] == []


def test_what_is_on_no_network_of_the_host_is_refused(broker):
    before = broker.ask("paths")
    refused = broker.pxctl("router", "add", "203.0.113.1", check=False)
    assert refused.returncode == 1
    assert "203.0.113.1 is on no network" in refused.stderr
    for network in ("192.168.1.0/24 on lan0", "100.64.2.0/24 on lte0", "10.8.0.0/24 on vpn0"):
        assert network in refused.stderr
    as_json = broker.pxctl("--json", "router", "add", "203.0.113.1", check=False)
    assert as_json.returncode == 1 and "no network" in json.loads(as_json.stdout)["error"]
    assert broker.ask("paths") == before


@pytest.mark.parametrize(
    "router, said",
    [
        ("192.168.1.2", "own address"),
        ("router.example", "expected an IPv4 or IPv6 address"),
        ("fe80::1", "fe80::1%INTERFACE"),
        ("224.0.0.1", "cannot be"),
        ("192.168.1.9%lte0", "no network"),
        ("192.168.1.0", "the address of the network 192.168.1.0/24 on lan0 itself"),
        ("192.168.1.255", "the broadcast address of 192.168.1.0/24 on lan0"),
        ("192.168.1.255%lan0", "the broadcast address"),
    ],
)
def test_what_cannot_be_a_router_is_refused(broker, router, said):
    refused = broker.pxctl("router", "add", router, check=False)
    assert refused.returncode == 1
    assert said in refused.stderr


def test_what_was_not_added_is_not_deleted(broker):
    for router in ("192.168.1.1", ROUTER):
        refused = broker.pxctl("router", "delete", router, check=False)
        assert refused.returncode == 1
        assert f"{router} was not added" in refused.stderr
    assert "192.168.1.1" in next_hops(broker)


def test_it_outlives_the_broker(broker):
    broker.pxctl("router", "add", ROUTER)
    broker.restart()
    assert ROUTER in next_hops(broker)
    broker.kill()
    broker.start()
    assert ROUTER in next_hops(broker)
    broker.pxctl("router", "delete", ROUTER)
    broker.restart()
    assert ROUTER not in next_hops(broker)


def test_it_comes_and_goes_with_its_network(lab, broker):
    broker.pxctl("router", "add", ROUTER)
    lab.client.ip("address del 192.168.1.2/24 dev lan0")
    wait_until(lambda: ROUTER not in next_hops(broker), "the network is gone")
    assert broker.ask("paths")["routers"] == [{"router": ROUTER, "interfaces": []}]
    assert f"{ROUTER} (on no network of the host now)" in broker.pxctl("paths").stdout
    lab.restore("lan")
    wait_until(lambda: ROUTER in next_hops(broker), "the network is back")


def test_others_may_not(lab, broker):
    broker.pxctl("router", "add", ROUTER)
    for action in ("add", "delete"):
        refused = lab.client.run(
            [*other_user(), build_for_all() / "cli/pxctl", "router", action, ROUTER],
            env=broker.environment(),
            check=False,
        )
        assert refused.returncode == 1
        assert "only root" in refused.stderr
    assert ROUTER in next_hops(broker)


def test_a_path_names_it(lab, broker):
    broker.pxctl("router", "add", ROUTER)
    alt = f"  alt: {{ interface: lan0, gateway: {ROUTER} }}\n"
    assert broker.reload(POLICY.replace("profiles:\n", alt + "profiles:\n", 1)).returncode == 0
    answer = broker.ask("paths")
    (path,) = [path for path in answer["paths"] if path["name"] == "alt"]
    assert path["selector"] == f"interface lan0, gateway {ROUTER}"
    (entry,) = [e for e in answer["entries"] if e["number"] in path["entries"]]
    assert (entry["next_hop"], entry["source"]) == (ROUTER, "192.168.1.2")


def test_the_state_directory(lab, tmp_path):
    """Named, or systemd's."""
    for number, (words, environment) in enumerate(
        (
            (["--state-directory", tmp_path / "named"], {}),
            ([], {"STATE_DIRECTORY": f"{tmp_path}/named:{tmp_path}/other"}),
        )
    ):
        broker = Broker(lab.client, lab.directory / f"px{number}", POLICY, words, environment)
        if number == 0:
            broker.pxctl("router", "add", ROUTER)
        assert ROUTER in next_hops(broker)
        assert (tmp_path / "named" / "routers").read_text() == f"{ROUTER}\n"
        assert broker.stop() == 0


def test_a_state_file_that_does_not_read_keeps_the_broker_from_starting(lab, broker):
    broker.stop()
    (broker.directory / "routers").write_text("192.168.1.254\nrouter.example\n")
    started = lab.client.run(
        [PXD, "--config", broker.config, "--socket", broker.socket], check=False
    )
    assert started.returncode == 1
    assert f"{broker.directory}/routers:2: 'router.example'" in started.stderr
