# SPDX-License-Identifier: MIT
"""A running program while its policy changes."""

import pytest

from support.clients.running_program import RunningProgram
from support.lab.broker import POLICY
from support.lab.three_uplinks import PUBLIC

pytestmark = pytest.mark.broker

CONNECTIONS = 1000
SWITCHES = 20


def everything_via(name, profile="switching"):
    return f"""version: 1
paths:
  lan: {{ interface: lan0 }}
  lte: {{ interface: lte0 }}
  vpn: {{ interface: vpn0 }}
profiles:
  {profile}:
    rules:
      - {{ to: any, via: {name} }}
"""


def test_a_thousand_connections_over_twenty_switches(lab, broker):
    """Between two reloads each connection leaves by the policy in force, as counted on the
    interfaces. During a reload it leaves by the old policy or by the new one."""
    names = ["lte", "vpn"]
    assert broker.reload(everything_via(names[0])).returncode == 0
    client = RunningProgram(lab, broker, "switching")
    block = CONNECTIONS // SWITCHES
    for switch in range(SWITCHES):
        old = lab.uplink(names[switch % 2])
        new = lab.uplink(names[(switch + 1) % 2])
        for _ in range(block // 2):
            assert client.connect(PUBLIC).source == old.source
        lab.flows.reset()
        # Ordered before the reload, answered after it: these meet the switch itself.
        for _ in range(block // 2):
            client.order(PUBLIC)
        done = broker.reload(everything_via(new.name))
        assert done.returncode == 0, done.stderr
        during = [client.answer().source for _ in range(block // 2)]
        assert set(during) <= {old.source, new.source}
        syns = lab.flows.per_interface("syn", PUBLIC)
        assert set(syns) <= {old.interface, new.interface}
        assert syns.get(old.interface, 0) == during.count(old.source)
        assert syns.get(new.interface, 0) == during.count(new.source)
        # The reload has returned: only the new one's.
        lab.flows.reset()
        assert client.connect(PUBLIC).source == new.source
        assert lab.flows.per_interface("syn", PUBLIC) == {new.interface: 1}


def test_a_switch_happens_while_connections_are_made(lab, broker):
    """The test above would prove little if all connections were made before the reload."""
    assert broker.reload(everything_via("lte")).returncode == 0
    client = RunningProgram(lab, broker, "switching")
    client.connect(PUBLIC)
    count = 400
    for _ in range(count):
        client.order(PUBLIC)
    assert broker.reload(everything_via("vpn")).returncode == 0
    sources = [client.answer().source for _ in range(count)]
    before = sources.count("100.64.2.2")
    assert sources == ["100.64.2.2"] * before + ["10.8.0.2"] * (count - before)
    assert before < count


BAD = {
    "not YAML": "version: 1\nprofiles: [\n",
    "unknown key": everything_via("lte").replace("rules:", "ruels:"),
    "unknown path": everything_via("nowhere"),
    "bad name server": everything_via("lte").replace(
        "rules:", "dns: { via: lte, servers: [nowhere] }\n    rules:"
    ),
}


@pytest.mark.parametrize("fault", BAD)
def test_a_bad_file_changes_nothing_and_says_why(lab, broker, program, fault):
    assert program.connect(PUBLIC).source == "100.64.2.2"
    before = broker.ask("status")
    done = broker.reload(BAD[fault])
    assert done.returncode == 1
    assert f"{broker.config}:" in done.stdout + done.stderr
    after = broker.ask("status")
    assert after["generation"] == before["generation"]
    assert after["profiles"] == before["profiles"] or [
        (p["name"], p["generation"]) for p in after["profiles"]
    ] == [(p["name"], p["generation"]) for p in before["profiles"]]
    assert after["last_reload"]["ok"] is False
    assert str(broker.config) in "".join(after["last_reload"]["errors"])
    assert program.connect(PUBLIC).source == "100.64.2.2"
    assert RunningProgram(lab, broker).connect(PUBLIC).source == "100.64.2.2"
    assert broker.reload(POLICY).returncode == 0


def test_reload_as_json(broker):
    good = broker.ask("reload")
    assert good["ok"] is True
    assert good["profiles"] == 3
    broker.config.write_text("version: 2\n")
    done = broker.pxctl("reload", "--json", check=False)
    assert done.returncode == 1
    assert '"ok": false' in done.stdout


def test_a_profile_that_is_removed_fails_closed(lab, broker, program):
    assert program.connect(PUBLIC).source == "100.64.2.2"
    assert broker.reload(everything_via("lan", "another")).returncode == 0
    lab.flows.reset()
    connection = program.connect(PUBLIC)
    assert connection.error == "ENETUNREACH"
    assert lab.flows.left(PUBLIC) == {}
    assert broker.reload(POLICY).returncode == 0
    assert program.connect(PUBLIC).source == "100.64.2.2"


def test_conf_d_is_read(lab, broker):
    fragment = broker.directory / "conf.d/10-more.yaml"
    fragment.parent.mkdir()
    rules = "    rules:\n      - { to: any, via: vpn }\n"
    fragment.write_text("version: 1\nprofiles:\n  more:\n" + rules)
    assert broker.reload().returncode == 0
    assert RunningProgram(lab, broker, "more").connect(PUBLIC).source == "10.8.0.2"


def test_a_broker_does_not_start_on_a_bad_file(lab):
    with pytest.raises(AssertionError, match="px.yaml:2:1: "):
        lab.start_broker("version: 1\nprofile: {}\n", "bad")
