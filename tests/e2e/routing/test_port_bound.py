# SPDX-License-Identifier: MIT
"""Sockets that a program binds to a port alone (DNS, SIP, `nc -p`): their rule's uplink, from the
source that the kernel chooses there, as by hand with SO_BINDTODEVICE."""

import sys

import pytest

from support.clients.erlang import fetch_erlang
from support.lab.broker import POLICY, Broker
from support.lab.figure3 import SERVER6, SOURCES6, Figure3
from support.lab.host_kinds import OWN_TABLES
from support.lab.three_uplinks import CORPORATE, CORPORATE6, PUBLIC, PUBLIC6
from support.programs import CLIENTS
from support.servers import real_servers
from support.unprivileged import UnprivilegedNamespace
from support.urls import bracketed, url

pytestmark = pytest.mark.routes

RULED = [(CORPORATE, "vpn"), (CORPORATE6, "vpn"), (PUBLIC, "lte"), (PUBLIC6, "lte")]
PORT = 41000

# One line for each way: the source that the server saw, or the error.
SOCKETS = """
import errno, socket, sys
host = sys.argv[1]
family, wild = (socket.AF_INET6, "::") if ":" in host else (socket.AF_INET, "0.0.0.0")

def stream(sock):
    sock.bind((wild, 0))
    sock.connect((host, 80))
    sock.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
    return sock.makefile().readlines()[-1]

def connected(sock):
    sock.bind((wild, 0))
    sock.connect((host, 7777))
    sock.send(b"?")
    return sock.recv(100).decode()

def unconnected(sock):
    sock.bind((wild, 0))
    sock.sendto(b"?", (host, 7777))
    return sock.recv(100).decode()

def sent_before(sock):
    sock.sendto(b"?", (host, 7777))
    sock.recv(100)
    sock.connect((host, 7777))
    sock.send(b"?")
    return sock.recv(100).decode()

for kind, way in ((socket.SOCK_STREAM, stream), (socket.SOCK_DGRAM, connected),
                  (socket.SOCK_DGRAM, unconnected), (socket.SOCK_DGRAM, sent_before)):
    sock = socket.socket(family, kind)
    sock.settimeout(5)
    try:
        print(way.__name__, way(sock).split()[0])
    except OSError as error:
        print(way.__name__, errno.errorcode.get(error.errno, "timeout"))
"""
WAYS = ("stream", "connected", "unconnected", "sent_before")

REQUEST = r"printf 'GET / HTTP/1.0\r\n\r\n'"
ASYNCIO = """
import asyncio, sys
async def main(host, port):
    local = ("::" if ":" in host else "0.0.0.0", int(port))
    reader, writer = await asyncio.open_connection(host, 80, local_addr=local)
    writer.write(b"GET / HTTP/1.0\\r\\n\\r\\n")
    print((await reader.read()).decode().splitlines()[-1])
asyncio.run(main(*sys.argv[1:]))
"""
NODE = """
const [host, localPort] = process.argv.slice(1);
const socket = require("net").connect({ host, port: 80, localPort: Number(localPort) });
socket.on("error", (error) => { console.error(error.message); process.exit(1); });
socket.on("data", (data) => process.stdout.write(data.toString().split("\\r\\n\\r\\n")[1] || ""));
socket.write("GET / HTTP/1.0\\r\\n\\r\\n");
"""
PERL = """
use IO::Socket::IP;
my $s = IO::Socket::IP->new(PeerHost => $ARGV[0], PeerPort => 80, LocalPort => $ARGV[1],
                            LocalHost => $ARGV[0] =~ /:/ ? "::" : "0.0.0.0") or die "$@";
print $s "GET / HTTP/1.0\\r\\n\\r\\n"; my @lines = <$s>; print $lines[-1];
"""


def shell(pipe):
    return lambda host, port: ["sh", "-c", f"{REQUEST} | {pipe} | tail -n 1", "sh", host, port]


# What a program prints begins with the source that the server saw...
TELLING = {
    "curl": lambda host, port: ["curl", "-sS", "--local-port", port, url(host)],
    "nc": shell('nc -w 5 -p "$2" "$1" 80'),
    "nc.traditional": shell('nc.traditional -w 5 -p "$2" "$1" 80'),
    "socat": lambda host, port: shell(f'socat - "TCP:{bracketed(host)}:80,sourceport=$2"')(
        host, port
    ),
    "asyncio": lambda host, port: [sys.executable, "-c", ASYNCIO, host, port],
    "node": lambda host, port: ["node", "-e", NODE, host, port],
    "perl": lambda host, port: ["perl", "-e", PERL, host, port],
    "tclsh": lambda host, port: ["tclsh", CLIENTS / "fetch.tcl", host, "80", port],
    "erlang": lambda host, port: fetch_erlang(host, "80", port),
}
# ...or says that it has been answered.
ANSWERED = {
    "dig": (["dig", "+short", "+tries=1"], lambda host: [f"@{host}", real_servers.DNS_NAME]),
    "dig +tcp": (["dig", "+short", "+tcp"], lambda host: [f"@{host}", real_servers.DNS_NAME]),
    "host": (["host", "-W", "5"], lambda host: [real_servers.DNS_NAME, host]),
}
IPV4_ALONE = {"nc.traditional"}


def test_each_kind_of_socket(lab, broker):
    for destination, name in RULED:
        uplink = lab.uplink(name)
        lab.flows.reset()
        done = lab.px(broker, [sys.executable, "-I", "-c", SOCKETS, destination])
        source = uplink.source_for(destination)
        assert done.stdout.splitlines() == [f"{way} {source}" for way in WAYS], destination
        assert set(lab.flows.left(destination)) == {uplink.interface}
        explained = broker.ask("explain", "python3", destination, "--profile", "vpn-split")
        assert next(c for c in explained["candidates"] if c["usable"])["limit"] is None


def test_programs_that_name_their_port(lab, broker, java):
    port = PORT
    telling = {**TELLING, "java": lambda host, port: [*java, "bound", host, "80", port]}
    for destination, name in RULED:
        uplink = lab.uplink(name)
        for program, argv in telling.items():
            if program in IPV4_ALONE and ":" in destination:
                continue
            port += 1
            lab.flows.reset()
            done = lab.px(broker, argv(destination, str(port)), check=False)
            source = uplink.source_for(destination)
            assert done.stdout.split()[:1] == [source], (program, destination, done.stderr)
            assert set(lab.flows.left(destination)) == {uplink.interface}, program


def test_programs_that_ask_a_name_server(lab, broker):
    for destination, name in RULED:
        real_servers.dnsmasq(lab, destination)
        for program, (argv, where) in ANSWERED.items():
            lab.flows.reset()
            done = lab.px(broker, [*argv, *where(destination)], check=False)
            assert real_servers.DNS_ADDRESS in done.stdout, (program, destination, done.stdout)
            assert set(lab.flows.left(destination)) == {lab.uplink(name).interface}, program


def test_traceroute(lab, broker):
    """It binds each of its sockets to a port of the kernel's choice."""
    for destination, name in RULED:
        uplink = lab.uplink(name)
        lab.flows.reset()
        argv = ["traceroute", "-n", "-q", "1", "-m", "3", destination]
        hops = lab.px(broker, argv).stdout.splitlines()[1:]
        gateway = uplink.gateway6 if ":" in destination else uplink.gateway
        assert [hop.split()[1] for hop in hops] == [gateway, destination]
        assert set(lab.flows.left(destination)) == {uplink.interface}


def test_iperf3_with_a_port_of_its_own(lab, broker):
    real_servers.iperf3(lab, None)
    for number, (destination, name) in enumerate(RULED):
        lab.flows.reset()
        argv = ["iperf3", "--client", destination, "--cport", PORT + 900 + number, "--bytes", "8K"]
        lab.px(broker, argv)
        assert set(lab.flows.left(destination)) == {lab.uplink(name).interface}


def test_without_the_privilege_it_works_or_is_explained(lab, host_kind):
    """Over IPv6 the kernel looks for a route before it has a source: where the only routes are for
    that source, it finds none. Then the next of `via` is taken, which for PUBLIC6 is lan0."""
    broker = Broker(UnprivilegedNamespace(lab.client), lab.directory / "px", POLICY)
    for destination, name in RULED:
        impossible = host_kind == OWN_TABLES and ":" in destination
        lab.flows.reset()
        done = lab.px(broker, [sys.executable, "-I", "-c", SOCKETS, destination])
        source = lab.uplink(name).source_for(destination)
        expected = {way: source for way in WAYS}
        if impossible:
            instead = lab.uplink("lan").source6 if name == "lte" else "ENETUNREACH"
            expected |= dict.fromkeys(("stream", "connected", "sent_before"), instead)
        assert dict(line.split() for line in done.stdout.splitlines()) == expected, destination
        others = {"lan0"} if impossible and name == "lte" else set()
        assert set(lab.flows.left(destination)) == {lab.uplink(name).interface} | others
        words = ["explain", "curl", destination, "--profile", "vpn-split"]
        limit = next(c for c in broker.ask(*words)["candidates"] if c["usable"])["limit"]
        if impossible:
            assert "bound to a port alone" in limit and "CAP_NET_ADMIN" in limit
            assert limit in broker.pxctl(*words).stdout
        else:
            assert limit is None
    assert broker.stop() == 0, broker.log_text


SEVERAL = """version: 1
paths:
  any: { interface: eth2 }
  one: { interface: eth2, gateway: "2001:db8:2::2" }
profiles:
  any: { rules: [ { to: any, via: any } ] }
  one: { rules: [ { to: any, via: one } ] }
"""


def test_ipv6_by_an_interface_with_several_routers(host_kind):
    """A mark has one next hop. Where only a mark helps, the path must say which."""
    with Figure3("multipath", host_kind) as host, host.serving(SEVERAL) as broker:
        for profile in ("any", "one"):
            explained = broker.ask("explain", "curl", SERVER6, "--profile", profile)
            limit = next(c for c in explained["candidates"] if c["usable"])["limit"]
            done = host.px(broker, [sys.executable, "-I", "-c", SOCKETS, SERVER6], profile)
            said = dict(line.split() for line in done.stdout.splitlines())
            expected = dict.fromkeys(WAYS, SOURCES6[1])
            if profile == "any" and host_kind == OWN_TABLES:
                expected |= dict.fromkeys(("stream", "connected", "sent_before"), "ENETUNREACH")
                assert "bound to a port alone" in limit and "gateway in the path" in limit
            else:
                assert limit is None
            assert said == expected, profile
