# SPDX-License-Identifier: MIT
"""pxctl check: the same messages as the broker's, without one."""

import json

import pytest

from support.lab.broker import POLICY
from support.processes import run
from support.programs import PXCTL

HEAD = "version: 1\npaths:\n  lan: { interface: lan0 }\nprofiles:\n  p:\n    rules:\n"

# What is wrong, where, and words that the message must have.
FAULTS = {
    "no version": ("profiles: {}\n", "1:1", ["version"]),
    "unknown key": (HEAD + "      - { too: any, via: lan }\n", "7:11", ["too", "to"]),
    "unknown path": (HEAD + "      - { to: any, via: lna }\n", "7:25", ["lna", "lan"]),
    "host bits": (HEAD + "      - { to: 10.1.0.0/8, via: lan }\n", "7:15", ["10.0.0.0/8"]),
    "no action": (HEAD + "      - { to: any }\n", "7:9", ["via", "action"]),
    "both": (HEAD + "      - { to: any, via: lan, action: block }\n", "7:", ["via", "action"]),
    "bad port": (HEAD + "      - { to: any, port: 70000, via: lan }\n", "7:26", ["70000"]),
    "bad proto": (HEAD + "      - { to: any, proto: tpc, via: lan }\n", "7:27", ["tpc", "tcp"]),
    "unreachable": (
        HEAD + "      - { to: any, via: lan }\n      - { to: 10.0.0.0/8, via: lan }\n",
        "8:",
        ["any"],
    ),
    "name": (HEAD + '      - { to: "*corp.example", via: lan }\n', "7:15", ["*.corp.example"]),
    "gateway": (
        "version: 1\npaths:\n  alt: { interface: lan0, gateway: router }\n",
        "3:36",
        ["router", "IPv4 or IPv6 address"],
    ),
    "bundle": ("version: 1\nbundles:\n  db: { hosts: [\"a,b\"] }\n", "3:17", ["a,b", "one host"]),
}


def check(directory, text, *words):
    path = directory / "px.yaml"
    path.write_text(text)
    return path, run([PXCTL, "check", path, *words], check=False)


def test_a_good_file(tmp_path):
    _, done = check(tmp_path, POLICY)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named_with_its_place(tmp_path, fault):
    text, place, words = FAULTS[fault]
    path, done = check(tmp_path, text)
    assert done.returncode == 1
    said = done.stdout + done.stderr
    line = next((line for line in said.splitlines() if f"{path}:{place}" in line), None)
    assert line, said
    for word in words:
        assert word in line


def test_all_faults_are_named(tmp_path):
    text = HEAD + "      - { too: any, via: lan }\n      - { to: any, via: nowhere }\n"
    path, done = check(tmp_path, text)
    said = done.stdout + done.stderr
    assert f"{path}:7:" in said and f"{path}:8:" in said


def test_as_json(tmp_path):
    path, done = check(tmp_path, HEAD + "      - { to: any, via: nowhere }\n", "--json")
    assert done.returncode == 1
    answer = json.loads(done.stdout)
    assert answer["ok"] is False
    (error,) = answer["errors"]
    assert (error["file"], error["line"], error["column"]) == (str(path), 7, 25)
    assert "nowhere" in error["message"]


def test_a_file_that_is_not_there(tmp_path):
    done = run([PXCTL, "check", tmp_path / "nothing.yaml"], check=False)
    assert done.returncode == 1
    assert "nothing.yaml" in done.stdout + done.stderr


SHADOWED = """version: 1
paths:
  lan: { interface: lan0 }
  gone: { interface: tun9 }
  alt: { interface: lan0, gateway: 192.168.1.254 }
  mixed: { interface: lan0, source: 192.168.1.2, gateway: "fe80::1" }
  other: { interface: lan0, source: 192.0.2.77 }
profiles:
  p:
    rules:
      - { to: 10.0.0.0/8, via: lan }
      - { to: 10.1.0.0/16, port: 80, via: gone }
      - { to: any, via: lan }
"""
# Line, column, and what is said of each.
WARNINGS = [
    (4, 3, ["'gone' selects nothing on this host now", "'tun9'", "lan0", "lte0", "vpn0"]),
    (5, 3, ["'alt' selects nothing", "192.168.1.254", "pxctl router add 192.168.1.254"]),
    (6, 3, ["'mixed' selects nothing", "fe80::1 is no next hop of 'lan0'"]),
    (7, 3, ["'other' selects nothing", "192.0.2.77 is no source of 'lan0'"]),
    (12, 9, ["never decides", "up to line 11", "'10.1.0.0/16'", "move it before"]),
]


def assert_warnings(lines, path):
    assert len(lines) == len(WARNINGS), lines
    for text, (line, column, words) in zip(lines, WARNINGS):
        assert text.startswith(f"{path}:{line}:{column}: warning: "), text
        assert all(word in text for word in words), text


def test_what_does_hardly_what_was_meant_is_a_warning(lab):
    path = lab.directory / "px.yaml"
    path.write_text(SHADOWED)
    done = lab.client.run([PXCTL, "check", path])
    *warnings, good = done.stdout.splitlines()
    assert_warnings(warnings, path)
    assert good.startswith(f"{path}: good: 5 paths")
    answer = json.loads(lab.client.run([PXCTL, "--json", "check", path]).stdout)
    assert (answer["ok"], answer["errors"]) == (True, [])
    found = [(each["line"], each["column"]) for each in answer["warnings"]]
    assert found == [(line, column) for line, column, _ in WARNINGS]
    assert all(each["file"] == str(path) for each in answer["warnings"])


def test_a_reload_says_so_too(lab, broker):
    done = broker.reload(SHADOWED)
    assert done.returncode == 0
    assert_warnings(done.stderr.splitlines(), broker.config)
    assert "generation 2 is in force" in done.stdout
    assert_warnings(broker.ask("reload")["warnings"], broker.config)
    assert_warnings(broker.ask("status")["last_reload"]["warnings"], broker.config)
    assert "'gone' selects nothing" in broker.log_text
    # What is there again is no warning any more.
    assert broker.pxctl("router", "add", "192.168.1.254").returncode == 0
    assert not any("'alt'" in each for each in broker.ask("reload")["warnings"])
    assert broker.reload(POLICY).stderr == ""


def test_an_added_router_is_known_to_check(lab, broker):
    broker.config.write_text(SHADOWED)
    broker.pxctl("router", "add", "192.168.1.254")
    done = broker.pxctl("check", broker.config)
    assert "'gone'" in done.stdout and "'alt'" not in done.stdout
