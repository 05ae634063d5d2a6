# SPDX-License-Identifier: MIT
"""px-exec --audit: what no rule explains is named, with the program; what the plan says is not."""

import subprocess
import sys

import pytest

from support.auditing import Heard, audited, findings
from support.lab.broker import POLICY
from support.lab.three_uplinks import CORPORATE, PUBLIC, PUBLIC6, PUBLIC_OTHER, UPLINKS
from support.processes import run
from support.programs import PX_EXEC, ROOT, program_file
from support.servers.uplink_name_servers import name_servers
from support.unprivileged import build_for_all, other_user

LEAK = "unseen_connect"
HOSTS = {u.name: f"{PUBLIC} network.test\n" for u in UPLINKS}
WITH_DNS = (
    POLICY
    + f"""  with-dns:
    rules: [{{ to: any, via: lte }}]
    dns: {{ via: lte, servers: ["{UPLINKS[1].gateway}"] }}
"""
)
DATAGRAMS = 50_000
SEND = f"""
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(("{PUBLIC}", 9))
for _ in range({DATAGRAMS}):
    try:
        s.send(b"x")
    except ConnectionRefusedError:
        s.send(b"x")
"""
CGROUPS = "mount -t cgroup2 none $0 && find $0 -depth -name 'px-audit.*'; umount $0"


def url(address):
    return f"http://[{address}]:8080/" if ":" in address else f"http://{address}:8080/"


def static_program(directory):
    path = directory / "static_connect"
    source = ROOT / f"tests/programs/{LEAK}.c"
    run(["gcc", "-D_GNU_SOURCE", "-static", f"-I{ROOT}", "-o", path, source])
    return path


@pytest.mark.parametrize("address", [PUBLIC, PUBLIC6, CORPORATE])
def test_a_clean_program(lab, broker, address):
    done, report = audited(lab, broker, ["curl", "-sS", url(address)])
    assert done.returncode == 0, done.stderr
    assert report["clean"] and report["complete"]
    (flow,) = report["flows"]
    assert (flow["destination"], flow["port"], flow["protocol"]) == (address, 8080, "tcp")
    assert flow["executable"].endswith("/curl")
    assert "the plan explains all of them" in done.stderr
    # What it cannot see is said of a clean program, too.
    assert "AF_PACKET" in done.stderr


@pytest.mark.parametrize("address", [PUBLIC, PUBLIC6])
@pytest.mark.parametrize("kind", ["tcp", "udp"])
@pytest.mark.parametrize("how", ["calls", "io_uring", "static"])
def test_a_leak_is_named_within_a_second(lab, broker, how, kind, address):
    file = static_program(lab.directory) if how == "static" else program_file(LEAK)
    port = {"tcp": 80, "udp": 7777}[kind]
    way = "calls" if how == "static" else how
    words = ["--profile", "vpn-split", "--audit", "--allow-uncovered", "--"]
    process = lab.client.popen(
        [PX_EXEC, *words, file, way, kind, address, port],
        env=broker.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    errors = Heard(process.stderr)
    assert Heard(process.stdout).hear("sent")
    finding = f"{kind} to {address} port {port} by lan0: {broker.config}:10 (to any) sends it by lte0"
    assert errors.hear(finding, seconds=1.0), errors.text
    process.communicate(timeout=10)
    assert process.returncode == 1
    assert str(file) in errors.text
    assert f"pid {process.pid}" not in errors.text
    assert ("px does not act in it: it is statically linked" in errors.text) == (how == "static")


def test_ping_without_px(lab, broker):
    script = f"env -u LD_PRELOAD ping -c1 {PUBLIC}; env -u LD_PRELOAD ping -c1 {PUBLIC6}"
    done, report = audited(lab, broker, ["sh", "-c", script])
    assert done.returncode == 1
    expected = {("other-interface", "ping", "icmp", a, 0, "lan0") for a in (PUBLIC, PUBLIC6)}
    assert findings(report) == expected
    assert {program["command"] for program in report["uncovered"]} == {"ping"}


def test_libc_looks_names_up_without_dns(lab, broker):
    with name_servers(lab, HOSTS):
        done, report = audited(lab, broker, ["getent", "ahosts", "network.test"])
    assert done.returncode == 1, done.stderr
    gateway = UPLINKS[0].gateway
    assert findings(report) == {("name-lookup", "getent", "udp", gateway, 53, "lan0")}
    assert "libc's resolver" in done.stderr
    assert "profile vpn-split has no dns" in done.stderr


def test_names_of_a_profile_with_dns(lab):
    with lab.serving(WITH_DNS) as broker, name_servers(lab, HOSTS):
        words = ["curl", "-sS", "http://network.test:8080/"]
        done, report = audited(lab, broker, words, "with-dns")
    assert done.returncode == 0, done.stderr
    assert {flow["destination"] for flow in report["flows"]} == {PUBLIC}


def test_what_a_rule_refuses(lab):
    policy = POLICY.replace("rules: []", f"rules: [{{ to: {PUBLIC_OTHER}, action: block }}]")
    with lab.serving(policy) as broker:
        words = [program_file(LEAK), "calls", "tcp", PUBLIC_OTHER, "80"]
        done, report = audited(lab, broker, words, "empty")
    assert done.returncode == 1
    assert {finding[0] for finding in findings(report)} == {"refused"}


def test_the_status_is_the_programs_own_where_it_is_clean(lab, broker):
    done, report = audited(lab, broker, ["sh", "-c", f"curl -sS {url(PUBLIC)}; exit 3"])
    assert done.returncode == 3, done.stderr
    assert report["clean"] and report["program_status"] == 3
    done, report = audited(lab, broker, ["sh", "-c", "kill -TERM $$"])
    assert done.returncode == 128 + 15


def test_answers_of_a_server_are_no_findings(lab, broker):
    serve = (
        "import socket, subprocess\n"
        "s = socket.create_server(('127.0.0.1', 0))\n"
        "subprocess.Popen(['nc', '-N', '127.0.0.1', str(s.getsockname()[1])], stdin=-3)\n"
        "s.accept()[0].sendall(b'x')\n"
    )
    done, report = audited(lab, broker, [sys.executable, "-c", serve])
    assert done.returncode == 0, done.stderr
    assert {flow["verdict"] for flow in report["flows"]} == {"explained", "answer"}


def test_many_packets_are_counted_exactly(lab, broker):
    done, report = audited(lab, broker, [sys.executable, "-c", SEND], timeout=60)
    assert done.returncode == 0, done.stderr
    (flow,) = report["flows"]
    assert flow["packets"] == DATAGRAMS
    assert flow["bytes"] == DATAGRAMS * 29
    assert report["lost_packets"] == 0


def test_nothing_is_left(lab, broker):
    place = lab.directory / "cgroups"
    place.mkdir()
    before = run(["sh", "-c", CGROUPS, place]).stdout
    done, report = audited(lab, broker, ["sh", "-c", "sleep 5 >&- 2>&- & exit"])
    assert done.returncode == 0, done.stderr
    assert any("1 program that it left running" in text for text in report["unseen"])
    assert run(["sh", "-c", CGROUPS, place]).stdout == before


def test_without_root(lab, broker):
    px_exec = build_for_all() / "cli/px-exec"
    words = [*other_user(), px_exec, "--profile", "vpn-split", "--audit", "--", "true"]
    done = lab.client.run(words, check=False, env=broker.environment())
    assert done.returncode == 125
    assert "as root" in done.stderr
