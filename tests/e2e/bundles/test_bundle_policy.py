# SPDX-License-Identifier: MIT
"""Bundles in the policy (PB-9), and the health of members, which programs share (PB-6)."""

import json

import pytest

from support import wire
from support.clients.running_program import RunningProgram
from support.lab.broker import POLICY
from support.lab.three_uplinks import CORPORATE, PUBLIC, PUBLIC6
from support.unprivileged import build_for_all, module_for_all, other_user
from support.wait import wait_until

pytestmark = pytest.mark.broker

BUNDLES = (
    POLICY
    + f"""
bundles:
  db: {{ hosts: [{CORPORATE}, {PUBLIC}], alias: db.example.com }}
  twice: {{ hosts: "<{CORPORATE}|{PUBLIC},{PUBLIC6}>" }}
  half: {{ hosts: ["fe80::1%nosuch0", {PUBLIC}] }}
"""
)


@pytest.fixture
def broker(lab):
    with lab.serving(BUNDLES) as broker:
        yield broker


def explain(broker, destination, port="8080", profile="vpn-split"):
    return broker.ask("explain", "curl", destination, port, "--profile", profile)


@pytest.mark.parametrize(
    "destination",
    [f"<{CORPORATE},{PUBLIC}>", f"{CORPORATE}.and.{PUBLIC}.bundle", "db.bundle", "DB.example.com."],
)
def test_explain_says_by_which_uplink_each_member_goes(broker, destination):
    corporate, public = explain(broker, destination)
    assert (corporate["destination"], corporate["entry"]["interface"]) == (CORPORATE, "vpn0")
    assert (public["destination"], public["entry"]["interface"]) == (PUBLIC, "lte0")
    assert (corporate["member"], corporate["alternative"]) == (CORPORATE, 0)
    text = broker.pxctl("explain", "curl", destination, "--profile", "vpn-split").stdout
    assert "A bundle: " in text and "vpn0" in text and "lte0" in text


@pytest.mark.parametrize("user, shares", [(tuple, False), (other_user, True)])
def test_explain_says_whose_processes_share_no_lookups(lab, broker, user, shares):
    running = RunningProgram.behind(
        lab,
        broker,
        user(),
        LD_PRELOAD=str(build_for_all() / "preload/libpx.so"),
        PX_PROFILE="vpn-split",
    )
    assert running.connect(CORPORATE).error is None
    answers = broker.ask("explain", str(running.pid), "db.bundle")
    assert [answer["shares_lookups"] for answer in answers] == [shares] * 2
    text = broker.pxctl("explain", str(running.pid), "db.bundle").stdout
    assert ("The program has capabilities" in text) is not shares


def test_alternatives_are_numbered(broker):
    answers = explain(broker, "twice.bundle")
    assert [answer["alternative"] for answer in answers] == [0, 1, 1]


def test_a_member_that_is_not_found_is_left_out_and_named(broker):
    assert [answer["destination"] for answer in explain(broker, "half.bundle")] == [PUBLIC]
    text = broker.pxctl("explain", "curl", "half.bundle", "--profile", "vpn-split").stdout
    assert "Left out: fe80::1%nosuch0" in text


def test_a_bundle_that_the_policy_does_not_have(broker):
    done = broker.pxctl("explain", "curl", "other.bundle", check=False)
    assert done.returncode == 1 and "other.bundle" in done.stderr


def test_status_lists_them(broker):
    status = broker.ask("status")
    assert [bundle["name"] for bundle in status["bundles"]] == ["db", "twice", "half"]
    assert status["bundles"][0]["aliases"] == ["db.example.com"]
    profile = next(p for p in status["profiles"] if p["name"] == "vpn-split")
    assert profile["bundle"] == {
        "transports": ["tcp"], "stagger_ms": None, "entries": "by-program", "sockets": "bundles",
    }
    assert "db.example.com" in broker.pxctl("status").stdout


def test_a_reload_changes_the_names(broker):
    assert broker.reload(BUNDLES.replace("  db:", "  other:")).returncode == 0
    assert [answer["destination"] for answer in explain(broker, "other.bundle")] == [
        CORPORATE, PUBLIC,
    ]
    bad = broker.reload(BUNDLES.replace("  half:", "  db:"))
    assert bad.returncode != 0 and "duplicate key 'db'" in bad.stdout + bad.stderr
    assert explain(broker, "other.bundle")


class Programs:
    """Programs of one user: what they report, and what they know."""

    def __init__(self, lab, broker, words=()):
        self.lab, self.broker, self.words = lab, broker, words

    def report(self, *addresses, alive=0, interface="vpn0", profile="vpn-split"):
        links = {link["ifname"]: link["ifindex"] for link in self.lab.client.links()}
        self.lab.client.run([
            *self.words,
            *module_for_all("support.clients.report_health"),
            self.broker.socket, profile, "8080", str(alive), str(links[interface]), *addresses,
        ])

    def known(self, address=CORPORATE, port="8080", profile="vpn-split"):
        words = ["explain", "--json", "--profile", profile, "curl", address, port]
        done = self.lab.client.run(
            [*self.words, build_for_all() / "cli/pxctl", *words], env=self.broker.environment()
        )
        return json.loads(done.stdout)["health"]


@pytest.fixture
def programs(lab, broker):
    return Programs(lab, broker)


def test_what_one_program_found_out_the_others_know(programs):
    assert programs.known() == "unknown"
    programs.report(CORPORATE)
    assert programs.known() == "dead"
    assert programs.known(port="8081") == "unknown"
    assert programs.known(PUBLIC) == "unknown"
    assert programs.known(profile="lan-only") == "unknown"
    programs.report(CORPORATE, alive=1)
    assert programs.known() == "alive"
    text = programs.broker.pxctl(
        "explain", "curl", CORPORATE, "8080", "--profile", "vpn-split"
    ).stdout
    assert "It answered a moment ago." in text


def test_it_is_of_the_interface_that_the_member_is_reached_by(programs):
    programs.report(CORPORATE, interface="lan0")
    assert programs.known() == "unknown"


def test_another_network_another_answer(lab, programs):
    programs.report(CORPORATE)
    assert programs.known() == "dead"
    lab.client.ip("address add 192.168.1.77/24 dev lan0")
    wait_until(lambda: programs.known() == "unknown", "what was known is forgotten")


def test_a_reload_and_a_restart_forget_it(broker, programs):
    programs.report(CORPORATE)
    assert broker.reload(BUNDLES).returncode == 0
    assert programs.known() == "unknown"
    programs.report(CORPORATE)
    assert programs.known() == "dead"
    broker.restart()
    assert programs.known() == "unknown"


def test_one_user_cannot_mislead_another_or_crowd_him_out(lab, broker, programs):
    stranger = Programs(lab, broker, other_user())
    stranger.report(CORPORATE)
    assert stranger.known() == "dead"
    assert programs.known() == "unknown"
    programs.report(CORPORATE, alive=0)
    stranger.report(*(f"198.18.{i // 250}.{i % 250}" for i in range(4000)), alive=1)
    assert programs.known() == "dead"
    programs.report(PUBLIC, interface="lte0")
    assert programs.known(PUBLIC) == "dead"


def test_it_is_for_the_network_namespace_of_the_broker(broker, programs):
    with wire.connect(broker.socket) as sock:
        sock.send(wire.health_report("vpn-split", CORPORATE, 8080, 0, 0, namespace=1))
        assert sock.recv(1) == b""
    assert programs.known() == "unknown"


def test_a_health_report_under_an_unknown_profile_is_ignored(broker, programs):
    programs.report(CORPORATE, profile="no-such-profile")
    assert broker.ask("status")["connections"] == 1
