# SPDX-License-Identifier: MIT
"""Programs that people use, with real servers over the lab. Bare they leave by the default uplink,
under px by the rule's; their output is the same."""

import json
import subprocess

import pytest

from support.lab.three_uplinks import CORPORATE, CORPORATE6, PUBLIC
from support.programs import CLIENTS
from support.servers import real_servers
from support.unprivileged import other_user
from support.urls import bracketed, url
from support.wait import wait_until

BOTH = pytest.mark.parametrize("host", [CORPORATE, CORPORATE6], ids=["ipv4", "ipv6"])


def run_both(lab, broker, host, argv, interface="vpn0", **options):
    """The outputs of the bare run and of the run under px."""
    bare = lab.client.run(argv, **options)
    assert set(lab.flows.left(host)) == {"lan0"}
    lab.settle()
    lab.flows.reset()
    px = lab.px(broker, argv, **options)
    assert set(lab.flows.left(host)) == {interface}
    assert px.stderr == bare.stderr
    return bare.stdout, px.stdout


@BOTH
@pytest.mark.parametrize("direction", [[], ["--reverse"]], ids=["to", "from"])
@pytest.mark.parametrize("transport", [[], ["--udp", "--bitrate=8M"]], ids=["tcp", "udp"])
def test_iperf3(lab, broker, host, direction, transport):
    real_servers.iperf3(lab, host)
    argv = ["iperf3", "--json", "--client", host, "--bytes=100K", *transport, *direction]
    bare, px = run_both(lab, broker, host, argv)
    for text, uplink in ((bare, "lan"), (px, "vpn")):
        result = json.loads(text)
        assert "error" not in result
        local = {connection["local_host"] for connection in result["start"]["connected"]}
        assert local == {lab.uplink(uplink).source_for(host)}
        assert result["end"]["sum" if transport else "sum_sent"]["bytes"] >= 100_000
    # The answers came in by the same uplink.
    protocol = "udp" if transport else "tcp"
    assert set(lab.flows.per_interface("got", host, protocol=protocol)) == {"vpn0"}


@BOTH
@pytest.mark.parametrize("transport", [[], ["+tcp"]], ids=["udp", "tcp"])
def test_dig(lab, broker, host, transport):
    real_servers.dnsmasq(lab, host)
    argv = ["dig", "-r", f"@{host}", real_servers.DNS_NAME, "A", "+short", *transport]
    assert run_both(lab, broker, host, argv) == (f"{real_servers.DNS_ADDRESS}\n",) * 2


@BOTH
def test_chronyd(lab, broker, host):
    real_servers.chronyd(lab, host)
    source = f"server {host} iburst maxsamples 1"
    for name, run in (("bare", lab.client.run), ("px", lambda argv: lab.px(broker, argv))):
        command = [*real_servers.chronyd_command(lab, name, source), "-Q", "-t", "10"]
        assert "System clock wrong by" in run(command).stderr
        assert set(lab.flows.left(host)) == {"vpn0" if name == "px" else "lan0"}
        lab.flows.reset()


@BOTH
def test_ntpdig(lab, broker, host):
    """It never connects its socket."""
    real_servers.chronyd(lab, host)
    answers = run_both(lab, broker, host, ["ntpdig", "--json", host])
    assert [json.loads(answer)["host"] for answer in answers] == [host, host]


@BOTH
def test_rsync(lab, broker, host):
    other_user()  # the server changes users
    real_servers.rsyncd(lab, host)
    copy = lab.directory / "copy"
    argv = ["rsync", "--archive", "--ignore-times", f"rsync://{bracketed(host)}/files/file", copy]
    run_both(lab, broker, host, argv)
    assert copy.read_text(encoding="utf-8") == real_servers.FILE_TEXT


@BOTH
def test_nginx_and_curl(lab, broker, host):
    real_servers.nginx(lab, host)
    argv = ["curl", "-sS", url(host, "/file", 8081)]
    assert run_both(lab, broker, host, argv) == (real_servers.FILE_TEXT,) * 2


@BOTH
def test_redis(lab, broker, host):
    real_servers.redis(lab, host)
    script = "SET key value\nGET key\nINCR counter\nDEL counter\n"
    answers = run_both(lab, broker, host, ["redis-cli", "-h", host], input=script)
    assert answers == ("OK\nvalue\n1\n1\n",) * 2


def seen_by_the_server(lab, broker, host, argv):
    """The echo server says which address it saw."""
    bare, px = run_both(lab, broker, host, argv)
    assert bare.split() == [lab.uplink("lan").source_for(host), host]
    assert px.split() == [lab.uplink("vpn").source_for(host), host]


@pytest.mark.parametrize(
    "host, words",
    [
        (CORPORATE, [f"http://{CORPORATE}:8080/"]),
        (CORPORATE, [CORPORATE, "8080"]),
        (CORPORATE6, [f"http://[{CORPORATE6}]:8080/"]),
        (CORPORATE, ["unconnected", CORPORATE, "7777"]),
    ],
    ids=["url", "socket", "url-ipv6", "unconnected"],
)
def test_java(lab, broker, java, host, words):
    seen_by_the_server(lab, broker, host, [*java, *words])


@BOTH
@pytest.mark.parametrize("how", ["http", "tcp", "udp", "unconnected"])
def test_node(lab, broker, host, how):
    words = {
        "http": [url(host, port=8080)],
        "tcp": [host, "8080"],
        "udp": [host, "7777"],
        "unconnected": [host, "7777"],
    }
    seen_by_the_server(lab, broker, host, ["node", CLIENTS / "fetch.js", how, *words[how]])


def test_two_programs_at_once_each_by_its_rule(lab, broker):
    real_servers.iperf3(lab, CORPORATE)
    argv = ["iperf3", "--client", CORPORATE, "--time=60", "--bitrate=1M"]
    transfer = lab.px_popen(broker, argv, stdout=subprocess.DEVNULL)

    def sent():
        return lab.flows.per_interface("sent", CORPORATE, protocol="tcp").get("vpn0", 0)

    wait_until(sent, "the transfer has begun")
    answer = lab.px(broker, ["curl", "-sS", f"http://{PUBLIC}/"]).stdout
    assert answer == f"100.64.2.2 {PUBLIC}\n"
    before = sent()
    wait_until(lambda: sent() > before, "the transfer goes on")
    transfer.terminate()
    transfer.wait(timeout=10)
    assert set(lab.flows.left(PUBLIC)) == {"lte0"}
    assert set(lab.flows.left(CORPORATE)) == {"vpn0"}
