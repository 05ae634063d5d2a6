# SPDX-License-Identifier: MIT
"""pxctl doctor: what on a host keeps px from working."""

import json

import pytest

from support.wait import wait_until

pytestmark = pytest.mark.broker


def doctor(broker):
    done = broker.pxctl("doctor", "--json", check=False)
    answer = json.loads(done.stdout)
    assert done.returncode == (0 if answer["healthy"] else 1)
    return answer


def test_a_host_without_trouble(broker):
    answer = doctor(broker)
    assert answer["healthy"]
    assert answer["foreign_rules"] == []
    assert {filter["interface"] for filter in answer["source_filters"]} >= {"lan0", "lte0", "vpn0"}
    assert "Nothing is wrong." in broker.pxctl("doctor").stdout


def test_strict_filters_that_drop_answers(lab, broker):
    lab.client.sysctl(net__ipv4__conf__vpn0__rp_filter=1, net__ipv4__conf__lan0__rp_filter=1)
    answer = doctor(broker)
    (warning,) = [each for each in answer["findings"] if each["severity"] == "warning"]
    assert warning["what"].startswith("vpn0 ")
    assert warning["do"] == "sysctl -w net.ipv4.conf.vpn0.rp_filter=2"
    lab.client.run(warning["do"].split())
    assert doctor(broker)["healthy"]


def test_foreign_rules_are_shown_and_left_alone(lab, broker):
    lab.client.ip("rule add fwmark 0x7/0xff lookup 77 priority 4000")
    before = lab.client.run(["ip", "rule"]).stdout
    (rule,) = doctor(broker)["foreign_rules"]
    assert (rule["priority"], rule["mark"], rule["mark_mask"], rule["table"]) == (
        4000, "0x7", "0xff", 77
    )
    assert broker.reload().returncode == 0
    assert lab.client.run(["ip", "rule"]).stdout == before


NEXT_HOP = """version: 1
paths:
  alt: { interface: lan0, gateway: 192.168.1.254 }
profiles:
  work: { rules: [ { to: any, via: alt } ] }
"""


@pytest.mark.parametrize(
    "rule, severity",
    [
        ("fwmark 0x1 lookup 78 priority 4000", None),
        ("fwmark 0xca6c lookup 78 priority 4000", None),
        ("not fwmark 0xca6c lookup 78 priority 4000", None),
        ("not fwmark 0xca6c lookup 78 priority 1", "note"),
        ("not fwmark 0xca6c lookup 78 priority 32000", None),
        ("fwmark 0x1000000 lookup 78 priority 4000", "warning"),
        ("fwmark 0x41000000/0xff000000 lookup 78 priority 32000", "warning"),
    ],
)
def test_marks_of_others(lab, broker, rule, severity):
    """Only those that share bits with px's are a conflict. px's rules move before another's, as long
    as there is room."""
    broker.pxctl("router", "add", "192.168.1.254")
    assert broker.reload(NEXT_HOP).returncode == 0
    assert doctor(broker)["findings"] == []
    lab.client.ip(f"rule add {rule}")
    expected = [severity] if severity else []
    wait_until(
        lambda: [each["severity"] for each in doctor(broker)["findings"]] == expected,
        "px's rules have moved",
    )
    answer = doctor(broker)
    assert answer["healthy"] == (severity != "warning")
    assert len(answer["foreign_rules"]) == 1
    lab.client.ip(f"rule delete {rule}")
