# SPDX-License-Identifier: MIT
"""PX-1, PX-6: each destination leaves by its rule's interface and source, counted by the kernel."""

import shutil
import sys

import pytest

from support.clients.running_program import RunningProgram
from support.lab.host_kinds import OWN_TABLES
from support.lab.three_uplinks import CORPORATE, CORPORATE6, PUBLIC, PUBLIC6
from support.urls import url

RULED = [(CORPORATE, "vpn"), (CORPORATE6, "vpn"), (PUBLIC, "lte"), (PUBLIC6, "lte")]

URLLIB = "import sys, urllib.request as u; print(u.urlopen(sys.argv[1]).read().decode(), end='')"
ASYNCIO = """
import asyncio, sys
async def main(host):
    reader, writer = await asyncio.open_connection(host, 80)
    writer.write(b"GET / HTTP/1.0\\r\\n\\r\\n")
    print((await reader.read()).decode().split("\\r\\n\\r\\n")[1], end="")
    writer.close()
asyncio.run(main(sys.argv[1]))
"""
BASH = """
exec 3<>"/dev/tcp/$1/80"
printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3
tail -n 1 <&3
"""
PERL = """
use IO::Socket::IP;
my $s = IO::Socket::IP->new(PeerHost => $ARGV[0], PeerPort => 80) or die "$@";
print $s "GET / HTTP/1.0\\r\\n\\r\\n"; my @lines = <$s>; print $lines[-1];
"""
NC = r"printf 'GET / HTTP/1.0\r\n\r\n' | nc -w 10 $1 80 | tail -n 1"


PROGRAMS = {
    "curl": lambda host: ["curl", "-sS", url(host)],
    "wget": lambda host: ["wget", "-q", "-O", "-", url(host)],
    "urllib": lambda host: [sys.executable, "-c", URLLIB, url(host)],
    "asyncio": lambda host: [sys.executable, "-c", ASYNCIO, host],
    "nc": lambda host: ["sh", "-c", NC, "sh", host],
    "bash": lambda host: ["bash", "-c", BASH, "bash", host],
    "perl": lambda host: ["perl", "-e", PERL, host],
}


@pytest.mark.routes
@pytest.mark.parametrize("program", PROGRAMS)
def test_real_programs(lab, broker, program):
    assert shutil.which(PROGRAMS[program](PUBLIC)[0])
    for destination, name in RULED:
        argv = PROGRAMS[program](destination)
        lab.flows.reset()
        bare = lab.client.run(argv)
        assert set(lab.flows.left(destination)) == {"lan0"}
        lab.flows.reset()
        untouched = lab.px(broker, argv, "empty")
        assert set(lab.flows.left(destination)) == {"lan0"}
        lab.flows.reset()
        routed = lab.px(broker, argv)
        uplink = lab.uplink(name)
        assert set(lab.flows.left(destination)) == {uplink.interface}
        assert routed.stdout == f"{uplink.source_for(destination)} {destination}\n"
        assert (untouched.stdout, untouched.stderr) == (bare.stdout, bare.stderr)
        assert routed.stderr == bare.stderr


@pytest.mark.routes
@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize("blocking", [True, False], ids=["blocking", "non-blocking"])
@pytest.mark.parametrize("destination, name", RULED)
def test_each_kind_of_socket(lab, program, destination, name, transport, blocking):
    connection = program.connect(destination, transport=transport, blocking=blocking)
    uplink = lab.uplink(name)
    assert connection.error is None
    assert connection.source == connection.local == uplink.source_for(destination)
    assert set(lab.flows.left(destination)) == {uplink.interface}


@pytest.mark.routes
def test_rules_by_port_and_protocol(lab, broker):
    policy = """version: 1
paths:
  lte: { interface: lte0 }
  vpn: { interface: vpn0 }
profiles:
  ports:
    rules:
      - { to: any, port: 443, proto: tcp, via: vpn }
      - { to: 203.0.113.0/24, proto: udp, via: lte }
      - { to: any, port: 8080, action: block }
"""
    assert broker.reload(policy).returncode == 0
    client = RunningProgram(lab, broker, "ports")
    expected = [
        ({"port": 443}, "10.8.0.2"),
        ({"port": 80}, "192.168.1.2"),
        ({"transport": "udp"}, "100.64.2.2"),
    ]
    for how, source in expected:
        assert client.connect(PUBLIC, **how).source == source
    lab.flows.reset()
    refused = client.connect(PUBLIC, port=8080)
    assert refused.error == "EACCES"
    assert lab.flows.left(PUBLIC) == {}
    counted = broker.program(client.pid)
    assert (counted["routed"], counted["system"], counted["refused"]) == (2, 1, 1)


@pytest.mark.routes
def test_v4_mapped_destinations_meet_the_ipv4_rules(lab, broker):
    script = """
import socket, sys
s = socket.socket(socket.AF_INET6)
s.connect(("::ffff:" + sys.argv[1], 80))
s.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
print(s.makefile().readlines()[-1], end="")
"""
    done = lab.px(broker, [sys.executable, "-c", script, CORPORATE])
    assert done.stdout.split()[0] == "10.8.0.2"
    assert set(lab.flows.left(CORPORATE)) == {"vpn0"}


def test_a_running_program_is_counted(program, broker):
    for destination, _ in RULED:
        program.connect(destination)
    line = broker.program(program.pid)
    assert line["routed"] == len(RULED)
    assert line["state"] == "covered"
    assert line["profile"] == "vpn-split"


def test_exit_status_and_signals_are_the_programs_own(lab, broker):
    assert lab.px(broker, ["sh", "-c", "exit 42"], check=False).returncode == 42
    assert lab.px(broker, ["sh", "-c", "kill -TERM $$"], check=False).returncode == -15
    assert lab.px(broker, ["/nonexistent"], check=False).returncode != 0


@pytest.mark.routes
def test_children_are_routed_too(lab, broker):
    script = "curl -sS $1; (curl -sS $1); exec curl -sS $1"
    done = lab.px(broker, ["sh", "-c", script, "sh", url(CORPORATE)])
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["10.8.0.2"] * 3


SPELLINGS = """version: 1
paths:
  lte: { interface: lte0 }
  vpn: { interface: vpn0 }
profiles:
  spelled:
    rules:
      - { to: 10.20.0.0/255.255.0.0, via: vpn }
      - { to: any, port: http-alt, via: vpn }
      - { to: any, proto: icmp, via: lte }
"""
# An echo request, by a raw socket or a ping socket, with sendto or connected.
PING = """
import socket, struct, sys
kind, how, peer = sys.argv[1:]
v6 = ":" in peer
family = socket.AF_INET6 if v6 else socket.AF_INET
protocol = socket.IPPROTO_ICMPV6 if v6 else socket.IPPROTO_ICMP
sock = socket.socket(family, getattr(socket, kind), protocol)
sock.settimeout(10)
echo, checksum = (128, 0) if v6 else (8, 0xf7fe)
request = struct.pack("!BBHHH", echo, 0, checksum, 0, 1)
if how == "connect":
    sock.connect((peer, 0))
    sock.send(request)
else:
    sock.sendto(request, (peer, 0))
while True:
    answer, sender = sock.recvfrom(2000)
    answer = answer[20:] if kind == "SOCK_RAW" and not v6 else answer
    if sender[0] == peer and answer[0] == (129 if v6 else 0):
        break
print("answered")
"""


def test_netmasks_and_names_of_ports(lab, broker):
    assert broker.reload(SPELLINGS).returncode == 0
    client = RunningProgram(lab, broker, "spelled")
    assert client.connect(CORPORATE).source == "10.8.0.2"
    assert client.connect(PUBLIC).source == "192.168.1.2"
    assert client.connect(PUBLIC, port=8080).source == "10.8.0.2"


@pytest.mark.routes
@pytest.mark.parametrize("kind", ["SOCK_RAW", "SOCK_DGRAM"])
@pytest.mark.parametrize("how", ["sendto", "connect"])
@pytest.mark.parametrize("peer, protocol", [(PUBLIC, "1"), (PUBLIC6, "58")])
def test_icmp_by_a_rule_of_its_own(lab, broker, host_kind, kind, how, peer, protocol):
    assert broker.reload(SPELLINGS).returncode == 0
    lab.client.sysctl(net__ipv4__ping_group_range="0 0")
    words = [sys.executable, "-c", PING, kind, how, peer]
    done = lab.px(broker, words, "spelled", check=False)
    if (host_kind, kind, how, peer) == (OWN_TABLES, "SOCK_DGRAM", "sendto", PUBLIC6):
        # The kernel looks its route up without the source that it is sent with.
        assert "Network is unreachable" in done.stderr
        assert lab.flows.per_interface("sent", peer, protocol=protocol) == {}
        return
    assert done.stdout == "answered\n", done.stderr
    assert lab.flows.per_interface("sent", peer, protocol=protocol) == {"lte0": 1}
    verdict = broker.ask("explain", "ping", peer, "--proto", "icmp", "--profile", "spelled")
    assert (verdict["action"], verdict["entry"]["interface"]) == ("via", "lte0")
    text = broker.pxctl("explain", "ping", peer, "--proto", "icmp", "--profile", "spelled").stdout
    assert f"{peer} icmp: goes out of lte0" in text
    # A rule that says nothing of ICMP leaves it alone.
    tcp_alone = SPELLINGS.replace("proto: icmp", "proto: tcp")
    assert broker.reload(tcp_alone).returncode == 0
    lab.flows.reset()
    assert lab.px(broker, words, "spelled").stdout == "answered\n"
    assert lab.flows.per_interface("sent", peer, protocol=protocol) == {"lan0": 1}
