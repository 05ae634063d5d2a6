# SPDX-License-Identifier: MIT
"""A program that looks one name up again is answered by what it remembers, as long as the server said,
and asks again as soon as anything has changed."""

import signal
import subprocess

import pytest

from support.lab.three_uplinks import CORPORATE, PUBLIC_OTHER, UPLINKS
from support.programs import CLIENTS
from support.servers.uplink_name_servers import name_servers
from support.wait import wait_until

LTE, VPN = UPLINKS[1:]
NAME = "www.test"


def policy(uplink):
    return f"""version: 1
paths:
  vpn: {{ interface: vpn0 }}
  lte: {{ interface: lte0 }}
profiles:
  one:
    dns: {{ via: {uplink.name}, servers: ["{uplink.gateway}"] }}
  other:
    dns: {{ via: lte, servers: ["{LTE.gateway}"] }}
"""


@pytest.fixture(name="dns")
def _dns(lab):
    hosts = {"lan": "", "lte": f"{PUBLIC_OTHER} {NAME}\n", "vpn": f"{CORPORATE} {NAME}\n"}
    with name_servers(lab, hosts, ["--local-ttl=600"]) as servers:
        yield servers


@pytest.fixture(name="broker")
def _broker(lab, dns):
    with lab.serving(policy(VPN)) as broker:
        yield broker


class Program:
    def __init__(self, lab, broker):
        argv = ["/usr/bin/python3", CLIENTS / "look_up_on_command.py"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.process = lab.px_popen(broker, argv, "one", **pipes)

    def look_up(self, name=NAME):
        self.process.stdin.write(name + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()


@pytest.fixture(name="program")
def _program(lab, broker):
    program = Program(lab, broker)
    yield program
    program.process.stdin.close()
    program.process.wait(timeout=10)


def test_the_broker_is_not_asked_again(broker, program):
    assert program.look_up() == CORPORATE
    broker.process.send_signal(signal.SIGSTOP)
    try:
        assert program.look_up() == CORPORATE
    finally:
        broker.process.send_signal(signal.SIGCONT)
    assert broker.program(program.process.pid)["names"] == 2, "both are counted"


def test_another_policy_is_followed_at_once(broker, program):
    assert program.look_up() == CORPORATE
    broker.config.write_text(policy(LTE))
    broker.ask("reload")
    assert program.look_up() == PUBLIC_OTHER


def test_another_profile_is_followed_at_once(broker, program):
    for profile, address in (("one", CORPORATE), ("other", PUBLIC_OTHER), ("one", CORPORATE)):
        broker.ask("move", str(program.process.pid), profile)
        assert program.look_up() == address
        assert program.look_up() == address


def test_with_the_link_it_is_forgotten(lab, broker, program):
    def usable():
        report = broker.ask("explain", "curl", CORPORATE, "--profile", "one")
        return all(server["usable"] for server in report["dns"]["servers"])

    assert program.look_up() == CORPORATE
    lab.link_down("vpn")
    wait_until(lambda: not usable(), "the broker has seen it")
    assert program.look_up() == "Temporary failure in name resolution"
    lab.restore("vpn")
    wait_until(usable, "the broker has seen it")
    assert program.look_up() == CORPORATE


def test_what_the_server_gives_no_time_for_is_asked_each_time(dns, program):
    for _ in range(2):
        assert program.look_up("nowhere.test") != CORPORATE
    assert dns.asked("vpn").count("A nowhere.test") == 2
