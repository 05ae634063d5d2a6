# SPDX-License-Identifier: MIT
"""pxctl doctor: what on a host keeps px from working."""

import json

import pytest

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
