# SPDX-License-Identifier: MIT
"""Each failure under --json is a JSON object with `error` on standard output, too."""

import json

import pytest

from support.programs import PXCTL

pytestmark = pytest.mark.broker

# Words, and the exit status.
FAILURES = {
    "a command that there is not": (["lynks"], 2),
    "an option that there is not": (["paths", "--colour"], 2),
    "an argument too few": (["explain", "curl"], 2),
    "no port": (["explain", "curl", "10.0.0.1", "htps"], 2),
    "a port of ICMP": (["explain", "curl", "10.0.0.1", "80", "--proto", "icmp"], 2),
    "a process that there is not": (["explain", "4194305", "10.0.0.1"], 1),
    "a bad bundle": (["explain", "curl", "<10.0.0.1,>"], 1),
    "a bundle that there is not": (["explain", "curl", "other.bundle"], 1),
    "an interface that there is not": (["explain", "curl", "fe80::1%tun9"], 1),
    "a profile that there is not": (["explain", "curl", "10.0.0.1", "--profile", "none"], 1),
    "a program that there is not": (["move", "4194305", "vpn-split"], 1),
    "a network": (["router", "add", "192.168.1.0"], 1),
}
# Of a broker that is not there.
COMMANDS = [["paths"], ["status"], ["ps"], ["reload"], ["doctor"], ["watch"],
            ["explain", "curl", "10.0.0.1"], ["move", "1", "work"], ["router", "add", "10.0.0.1"]]


def assert_failed(done, status):
    assert done.returncode == status
    answer = json.loads(done.stdout)
    assert answer["error"] and answer["error"] in done.stderr
    assert done.stdout.count("\n") == 1


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("first", [True, False], ids=["--json first", "--json last"])
def test_of_a_command(broker, failure, first):
    words, status = FAILURES[failure]
    words = ["--json", *words] if first else [*words, "--json"]
    assert_failed(broker.pxctl(*words, check=False), status)


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_without_a_broker(lab, words):
    nowhere = lab.directory / "nowhere.sock"
    done = lab.client.run([PXCTL, "--json", "--socket", nowhere, *words], check=False)
    assert_failed(done, 3)


def test_of_a_watch_whose_broker_ends(broker, lab):
    watching = lab.client.popen(
        [PXCTL, "watch", "--json"], env=broker.environment(), stdout=-1, stderr=-1
    )
    assert json.loads(watching.stdout.readline())["event"] == "policy"
    broker.kill()
    output, said = watching.communicate(timeout=10)
    assert watching.returncode == 3
    assert json.loads(output)["error"] in said
    broker.start()


def test_of_a_check(lab):
    home = {"HOME": str(lab.directory), "PATH": "/usr/bin:/bin"}
    done = lab.client.run([PXCTL, "--json", "check", lab.directory / "none.yaml"], env=home,
                          check=False)
    assert done.returncode == 1
    (error,) = json.loads(done.stdout)["errors"]
    assert "cannot open" in error["message"]


def test_without_json_it_is_text_alone(broker):
    done = broker.pxctl("explain", "curl", "10.0.0.1", "htps", check=False)
    assert done.stdout == "" and "htps" in done.stderr
