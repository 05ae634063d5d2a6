# SPDX-License-Identifier: MIT
"""pxctl metrics, and the same over HTTP: what a monitoring system is told."""

import json
import re
import socket
import subprocess
import urllib.error
import urllib.request

import pytest

from support.lab.broker import POLICY
from support.lab.three_uplinks import CORPORATE, PUBLIC
from support.programs import unpacked
from support.unprivileged import build_for_all, other_user
from support.wait import wait_until

PORT = 9464
SERVED = POLICY + f'broker: {{ metrics: "127.0.0.1:{PORT}" }}\n'
URL = f"http://127.0.0.1:{PORT}/metrics"
SAMPLE = re.compile(r"(\w+)(?:{(.*)})? (\d+)")


def samples(text):
    """{(name, ((label, value), ...)): number}; the text ends as OpenMetrics wants it."""
    *lines, end = text.splitlines()
    assert end == "# EOF"
    found = {}
    for line in lines:
        if line.startswith("# "):
            continue
        name, labels, value = SAMPLE.fullmatch(line).groups()
        pairs = tuple(sorted(re.findall(r'(\w+)="([^"]*)"', labels or "")))
        assert (name, pairs) not in found
        found[name, pairs] = int(value)
    return found


def decisions(broker, profile, outcome="routed"):
    labels = (("outcome", outcome), ("profile", profile))
    return samples(broker.pxctl("metrics").stdout)["px_decisions_total", labels]


def fetch(lab, *options, url=URL):
    words = ["curl", "--silent", "--show-error", "--max-time", "10", *options, url]
    return lab.client.run(words, check=False)


def test_counts_stay_when_a_program_ends(lab, broker, program):
    programs = ("px_profile_programs", (("profile", "vpn-split"),))
    program.connect(CORPORATE)
    program.connect(PUBLIC)
    assert decisions(broker, "vpn-split") == 2
    assert samples(broker.pxctl("metrics").stdout)[programs] == 1
    program.process.stdin.close()
    assert program.process.wait(timeout=10) == 0
    wait_until(lambda: broker.program(program.pid) is None, "the session is gone")
    after = samples(broker.pxctl("metrics").stdout)
    assert after[programs] == 0
    assert decisions(broker, "vpn-split") == 2
    assert lab.px(broker, ["curl", "-s", f"http://{PUBLIC}:7/"], "vpn-split", check=False)
    wait_until(lambda: decisions(broker, "vpn-split") == 3, "another program's has been added")


def test_counts_stay_with_the_profile_that_made_them(broker, program):
    program.connect(CORPORATE)
    broker.pxctl("move", str(program.pid), "lan-only")
    program.connect(PUBLIC)
    program.connect(PUBLIC)
    assert (decisions(broker, "vpn-split"), decisions(broker, "lan-only")) == (1, 2)
    broker.pxctl("move", str(program.pid), "vpn-split")
    program.connect(CORPORATE)
    assert (decisions(broker, "vpn-split"), decisions(broker, "lan-only")) == (2, 2)


def test_json_says_the_same(broker, program):
    program.connect(CORPORATE)
    text = samples(broker.pxctl("metrics").stdout)
    report = json.loads(broker.pxctl("--json", "metrics").stdout)
    suffixes = {"counter": "_total", "gauge": "", "info": "_info"}
    told = {
        (family["name"] + suffixes[family["type"]], tuple(sorted(sample["labels"].items()))): sample["value"]
        for family in report["metrics"]
        for sample in family["samples"]
    }
    assert told == text
    assert all(family["help"].endswith(".") for family in report["metrics"])
    assert set(report) == {"metrics"}


def test_states_follow_the_host(lab, broker):
    def available(path):
        return samples(broker.pxctl("metrics").stdout)["px_path_available_entries", (("path", path),)]

    assert available("vpn") == 2, "IPv4 and IPv6"
    lab.link_down("vpn")
    wait_until(lambda: available("vpn") == 0, "the broker has seen it")


def test_reloads(broker):
    def told(name):
        return samples(broker.pxctl("metrics").stdout)[name, ()]

    assert (told("px_policy_generation"), told("px_policy_reload_successful")) == (1, 1)
    broker.pxctl("reload")
    assert told("px_policy_generation") == 2
    broker.config.write_text("version: 1\nprofiles: 3\n")
    assert broker.pxctl("reload", check=False).returncode == 1
    assert (told("px_policy_generation"), told("px_policy_reload_successful")) == (2, 0)


def test_promtool_finds_nothing_wrong(broker, program):
    """It reads the older format, in which a counter's name has its suffix in all lines."""
    program.connect(CORPORATE)
    text = broker.pxctl("metrics").stdout.removesuffix("# EOF\n")
    for name, kind, suffix in re.findall(r"# TYPE (\w+) (counter|info)()", text):
        suffix = {"counter": "_total", "info": "_info"}[kind]
        text = re.sub(rf"^# (TYPE|HELP) {name} ", rf"# \1 {name}{suffix} ", text, flags=re.MULTILINE)
    text = text.replace("px_build_info info", "px_build_info gauge")
    promtool = unpacked("prometheus", "usr/bin/promtool")
    found = subprocess.run(
        [promtool, "check", "metrics"], input=text, text=True, capture_output=True, check=False
    )
    assert (found.returncode, found.stdout + found.stderr) == (0, "")


def test_prometheus_scrapes_it(lab, tmp_path):
    config = tmp_path / "prometheus.yml"
    config.write_text(
        "scrape_configs:\n"
        "  - job_name: px\n"
        "    scrape_interval: 1s\n"
        f'    static_configs: [{{ targets: ["127.0.0.1:{PORT}"] }}]\n'
    )
    program = unpacked("prometheus", "usr/bin/prometheus")
    with lab.serving(SERVED) as broker:
        assert lab.px(broker, ["curl", "-s", f"http://{PUBLIC}:7/"], "vpn-split", check=False)
        server = lab.client.popen(
            [
                program,
                f"--config.file={config}",
                f"--storage.tsdb.path={tmp_path}/data",
                "--web.listen-address=127.0.0.1:9090",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

        def asked(query):
            url = f"http://127.0.0.1:9090/api/v1/query?query={query}"
            reply = fetch(lab, "--fail", url=url)  # 503 until it has read its database
            if reply.returncode != 0:
                assert server.poll() is None
                return None
            return {
                sample["metric"].get("outcome"): sample["value"][1]
                for sample in json.loads(reply.stdout)["data"]["result"]
            }

        query = "px_decisions_total%7Bprofile=%22vpn-split%22%7D"
        expected = {"routed": "1", "system": "0", "refused": "0", "unavailable": "0"}
        wait_until(lambda: asked(query) == expected, "Prometheus has it", 30)
        assert asked("px_build_info") == {None: "1"}


def test_over_http(lab):
    with lab.serving(SERVED) as broker:
        reply = fetch(lab, "--include")
        headers, _, body = reply.stdout.partition("\n\n")
        assert headers.startswith("HTTP/1.1 200 OK")
        assert "application/openmetrics-text; version=1.0.0; charset=utf-8" in headers
        assert samples(body).keys() == samples(broker.pxctl("metrics").stdout).keys()
        assert "HTTP/1.1 404" in fetch(lab, "--include", url=URL + "x").stdout
        assert "HTTP/1.1 405" in fetch(lab, "--include", "--data", "x").stdout
        assert "HTTP/1.1 431" in fetch(lab, "--include", "--header", "X: " + "y" * 5000).stdout
        # Elsewhere from the next reload on, and nowhere.
        other = f"http://[::1]:{PORT + 1}/metrics"
        broker.reload(POLICY + f'broker: {{ metrics: "[::1]:{PORT + 1}" }}\n')
        assert samples(fetch(lab, url=other).stdout)
        assert fetch(lab).returncode == 7
        broker.reload(POLICY)
        assert fetch(lab, url=other).returncode == 7


def test_silent_clients_hold_up_nobody_for_long(lab):
    """More of them than are served at a time, which say nothing or half of it, and some go."""
    with lab.serving(SERVED) as broker, lab.client.inside():
        held = [socket.create_connection(("127.0.0.1", PORT)) for _ in range(20)]
        held[0].sendall(b"GET /met")
        assert broker.ask("status")["generation"] == 1
        assert fetch(lab, "--max-time", "20").returncode == 0
        for each in held:
            each.close()
        assert fetch(lab).returncode == 0


def test_a_port_that_another_program_has(lab):
    """That anyone could take it must not keep the policy from being in force."""
    with lab.client.inside():
        taken = socket.create_server(("127.0.0.1", PORT))
    with taken, lab.serving(POLICY) as broker:
        broker.config.write_text(SERVED)
        reply = broker.pxctl("reload")
        assert f"metrics are not served, 127.0.0.1 port {PORT}: Address already in use" in (
            reply.stdout + reply.stderr
        )
        assert broker.ask("status")["generation"] == 2
        taken.close()
        wait_until(lambda: fetch(lab).returncode == 0, "the broker has tried again")
