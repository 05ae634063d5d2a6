# SPDX-License-Identifier: MIT
"""PX-2, PX-3: pxctl paths lists the entries of the client, and follows its network."""

from support.lab.three_uplinks import UPLINKS
from support.wait import wait_until


def entries(broker, **wanted):
    return [
        entry
        for entry in broker.ask("paths")["entries"]
        if all(entry[key] == value for key, value in wanted.items())
    ]


def test_every_uplink_has_an_entry_of_each_family(broker):
    for uplink in UPLINKS:
        for family, source, gateway in (
            ("ipv4", uplink.source, uplink.gateway),
            ("ipv6", uplink.source6, uplink.gateway6),
        ):
            (entry,) = entries(
                broker, interface=uplink.interface, family=family, interface_default=True
            )
            assert entry["source"] == source
            assert entry["next_hop"] == gateway
            assert entry["usable"] and entry["own_source"] and entry["default_next_hop"]


def test_entries_are_numbered_from_one(broker):
    numbers = [entry["number"] for entry in broker.ask("paths")["entries"]]
    assert numbers == list(range(1, len(numbers) + 1))


def test_paths_name_entries(broker):
    answer = broker.ask("paths")
    by_number = {entry["number"]: entry for entry in answer["entries"]}
    paths = {path["name"]: path for path in answer["paths"]}
    assert set(paths) == {"lan", "lte", "vpn"}
    for name, path in paths.items():
        assert path["available"]
        for number in path["available"]:
            assert by_number[number]["interface"] == f"{name}0"


def test_paths_follow_the_link(lab, broker):
    lab.unplug("vpn")
    wait_until(
        lambda: not any(e["usable"] for e in entries(broker, interface="vpn0")),
        "vpn0 is not usable",
    )
    assert all(entry["why"] for entry in entries(broker, interface="vpn0"))
    lab.plug("vpn")
    wait_until(
        lambda: len([e for e in entries(broker, interface="vpn0") if e["usable"]]) >= 2,
        "vpn0 is usable in both families",
    )


def test_paths_follow_addresses_and_links_that_are_new(lab, broker):
    lab.client.ip("address add 192.168.1.77/24 dev lan0")
    wait_until(lambda: entries(broker, source="192.168.1.77"), "the new address")
    lab.client.ip("address del 192.168.1.77/24 dev lan0")
    wait_until(lambda: not entries(broker, source="192.168.1.77"), "the address is gone")
    lab.client.ip(
        "link add new0 type veth peer name new1",
        "link set new1 up",
        "address add 10.99.0.2/24 dev new0",
        "link set new0 up",
        "route add 10.98.0.0/16 via 10.99.0.1 dev new0",
    )
    wait_until(lambda: entries(broker, interface="new0", usable=True), "the new link")
    lab.client.ip("link del new0")
    wait_until(lambda: not entries(broker, interface="new0"), "the link is gone")


def test_the_table_is_readable(broker):
    text = broker.pxctl("paths").stdout
    assert "\033" not in text
    for uplink in UPLINKS:
        for source, gateway in (
            (uplink.source, uplink.gateway),
            (uplink.source6, uplink.gateway6),
        ):
            wanted = {uplink.interface, source, gateway}
            assert any(wanted <= set(line.split()) for line in text.splitlines()), text
