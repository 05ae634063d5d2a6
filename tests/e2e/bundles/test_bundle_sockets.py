# SPDX-License-Identifier: MIT
"""PB-1, PB-6: servers that are bound to some of the host's addresses answer there and nowhere else,
over TCP and MPTCP, with and without the right to filter. Callers stand behind the routers."""

import shutil
import sys

import pytest

from support.lab.three_uplinks import CORPORATE, CORPORATE6
from support.programs import PX_EXEC, program_file
from support.tracing import strace
from support.unprivileged import without_capabilities
from support.wait import wait_until

TCP, MPTCP = 6, 262

LAN, LTE, VPN = "192.168.1.2", "100.64.2.2", "10.8.0.2"
LAN6, LTE6, VPN6 = "2001:db8:1::2", "2001:db8:2::2", "fd08::2"
HOST = (LAN, LTE, VPN, LAN6, LTE6, VPN6)

# Calls each address, so many at a time, and prints the result.
CALL = """
import concurrent.futures, socket, sys
port, at_once, source, source6, *addresses = sys.argv[1:]

def said(address):
    own = source6 if ":" in address else source
    try:
        with socket.create_connection((address, int(port)), 1, (own, 0)) as sock:
            return sock.recv(100).decode().strip() or "hung up"
    except ConnectionRefusedError:
        return "refused"
    except ConnectionResetError:
        return "hung up"
    except TimeoutError:
        return "no answer"

with concurrent.futures.ThreadPoolExecutor(int(at_once)) as pool:
    for address, what in zip(addresses, pool.map(said, addresses)):
        print(address, what)
"""


def call(lab, *addresses, local=False, at_once=1):
    """Calls from behind the routers, by an address that each of them knows, or from the host
    itself. Several at once where most are silent: a server's backlog may have room for one."""
    namespace, *sources = (lab.client, LAN, LAN6) if local else (lab.server, CORPORATE, CORPORATE6)
    done = namespace.run([sys.executable, "-c", CALL, 8000, at_once, *sources, *addresses])
    return dict(line.split(" ", 1) for line in done.stdout.splitlines())


def start(lab, broker, argv, words=(), **options):
    return lab.client.popen(
        [*words, PX_EXEC, "--profile", "empty", "--", *argv], env=broker.environment(), **options
    )


def serve(lab, broker, how, protocol, addresses, words=()):
    log = lab.directory / "server.log"
    with log.open("w") as output:
        argv = [program_file("bundle_server"), how, protocol, 8000, *addresses]
        start(lab, broker, argv, words, stdout=output, stderr=output)
    lab.client.listens(8000)
    wait_until(lambda: "name:" in log.read_text(), "the server's name")
    return log


@pytest.mark.parametrize("how", ["loop", "fork", "threads", "epoll"])
@pytest.mark.parametrize("protocol", [TCP, MPTCP])
@pytest.mark.parametrize("named", [(LAN, VPN), (LAN6, VPN6), (LTE, LAN6)], ids=["4", "6", "both"])
def test_without_privilege_others_are_hung_up_on(lab, broker, named, protocol, how):
    log = serve(lab, broker, how, protocol, named, without_capabilities([]))
    # Where no address of a family is named, its port is free.
    families = {":" in address for address in named}
    answers = call(lab, *HOST)
    for address in HOST:
        closed = "hung up" if (":" in address) in families else "refused"
        assert answers[address] == ("hello" if address in named else closed), address
    assert call(lab, *named, local=True) == dict.fromkeys(named, "hello")
    # The calls that the server accepted, by plain addresses.
    lines = [line for line in log.read_text().splitlines() if line.startswith("called: ")]
    assert len(lines) == 4
    assert {line.split()[1] for line in lines} == set(named)
    assert not [line for line in lines if "::ffff:" in line or "not its peer" in line]


@pytest.mark.parametrize("named", [(LAN, VPN), (LAN6, VPN6), (LTE, LAN6)], ids=["4", "6", "both"])
def test_with_privilege_the_kernel_does_not_answer_others(lab, broker, named):
    log = serve(lab, broker, "loop", TCP, named)
    families = {":" in address for address in named}
    answers = call(lab, *HOST, at_once=len(HOST))
    for address in HOST:
        dropped = "no answer" if (":" in address) in families else "refused"
        assert answers[address] == ("hello" if address in named else dropped), address
    assert call(lab, *named, local=True) == dict.fromkeys(named, "hello")
    text = ",".join(sorted(named, key=lambda address: (":" in address, address)))
    assert f"name: <{text}> port 8000" in log.read_text() or named == (LAN, VPN)


@pytest.mark.parametrize("protocol", [TCP, MPTCP])
@pytest.mark.parametrize("named", [(LAN, VPN6), (VPN6, LAN)], ids=["4 first", "6 first"])
def test_the_peer_of_a_bundle_is_a_bundle(lab, broker, named, protocol):
    serve(lab, broker, "loop", protocol, (LAN, VPN6))
    argv = [program_file("bundle_server"), "call", protocol, 8000, *named]
    assert lab.px(broker, argv, "empty").stdout.splitlines() == [
        *("socket: ok", "connect: ok", "getpeername: ok"),
        *(f"peer: <{named[0]}> port 8000", "own: family 230, 1 address", "said: hello"),
    ]


def test_an_address_of_another_host_is_refused(lab, broker):
    argv = [program_file("bundle_server"), "loop", 0, 8000, LAN, "203.0.113.80"]
    done = lab.px(broker, argv, "empty", check=False)
    assert "bind: EADDRNOTAVAIL" in done.stdout


def test_without_px_there_is_no_such_family(lab):
    argv = [program_file("bundle_server"), "loop", 0, 8000, LAN, VPN]
    assert lab.client.run(argv, check=False).stdout == "socket: EAFNOSUPPORT\n"


def test_the_port_is_taken_at_every_address_and_given_back(lab, broker):
    serve(lab, broker, "loop", TCP, (LAN, VPN), without_capabilities([]))
    argv = [program_file("bundle_server"), "loop", TCP, 8000, LTE, VPN6]
    assert "bind: EADDRINUSE" in lab.px(broker, argv, "empty", check=False).stdout


ALL_SOCKETS = """version: 1
paths:
  vpn: { interface: vpn0 }
profiles:
  all:
    bundle: { transports: [sctp, mptcp, tcp], sockets: all }
    rules:
      - { to: 10.0.0.0/8, proto: tcp, via: vpn }
"""

# Options that the kernel's MPTCP lacks, and TCP_REPAIR, which must fail.
TUNING = """
import socket
sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
for option in (socket.TCP_USER_TIMEOUT, socket.TCP_QUICKACK, socket.TCP_SYNCNT):
    sock.setsockopt(socket.IPPROTO_TCP, option, 1)
    sock.getsockopt(socket.IPPROTO_TCP, option)
TCP_REPAIR = 19
try:
    sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
except OSError:
    print(sock.proto, sock.getsockopt(socket.SOL_SOCKET, socket.SO_PROTOCOL))
"""


def test_tuning_of_tcp_is_no_reason_to_fail(lab):
    broker = lab.start_broker(ALL_SOCKETS)
    assert lab.px(broker, [sys.executable, "-c", TUNING], "all").stdout == "0 262\n"


# What each socket is, and by which address it leaves.
PROTOCOLS = """
import socket, sys
for family, address in ((socket.AF_INET, sys.argv[1]), (socket.AF_INET6, "::1")):
    for protocol in (0, socket.IPPROTO_TCP):
        sock = socket.socket(family, socket.SOCK_STREAM, protocol)
        print(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PROTOCOL), end=" ")
        if family == socket.AF_INET:
            sock.connect((address, 80))
            print(sock.getsockname()[0])
print(socket.socket(socket.AF_INET, socket.SOCK_DGRAM).proto)
a, b = socket.socketpair()
print(a.family.name)
"""


def test_all_streams_are_of_the_first_transport_that_the_kernel_has(lab):
    """MPTCP on this kernel, unless it has SCTP, too. The kernel is asked for SCTP once."""
    broker = lab.start_broker(ALL_SOCKETS)
    argv = [sys.executable, "-I", "-c", PROTOCOLS, CORPORATE]
    calls = strace(lab.client, argv, lambda command: lab.px(broker, command, "all"))
    asked = [line for line in calls if "IPPROTO_SCTP" in line]
    first = 132 if " = -1 " not in asked[0] else 262
    assert len(asked) == (1 if first == 262 else 4)
    lines = lab.px(broker, argv, "all").stdout.split()
    own = lab.uplink("vpn").source
    assert lines == [str(first), own, str(first), own, str(first), str(first), "0", "AF_UNIX"]
    assert broker.stop() == 0


NETCAT = shutil.which("nc.openbsd") or "nc"

SERVERS = {
    "nc": [NETCAT, "-lk", f"<{LAN},{VPN6}>", "8000"],
    "iperf3": ["iperf3", "-s", "-p", "8000", "-B", f"<{LAN},{VPN6}>"],
    "rsyncd": ["rsync", "--daemon", "--no-detach", "--port=8000", f"--address=<{LAN},{VPN6}>"],
}


@pytest.mark.parametrize("name", SERVERS)
@pytest.mark.parametrize("privileged", [True, False], ids=["filter", "accept"])
def test_unmodified_servers(lab, broker, name, privileged):
    argv = list(SERVERS[name])
    if name == "rsyncd":
        config = lab.directory / "rsyncd.conf"
        config.write_text("use chroot = no\nreverse lookup = no\n")
        argv.append(f"--config={config}")
    start(lab, broker, argv, () if privileged else without_capabilities([]))
    lab.client.listens(8000)
    answers = call(lab, LTE, LAN6, VPN, at_once=3 if privileged else 1)
    assert set(answers.values()) == {"no answer" if privileged else "hung up"}, answers
    # An admitted caller stays connected: rsyncd greets, the others wait for it to speak.
    greeting = "@RSYNCD" if name == "rsyncd" else "no answer"
    for address in (LAN, VPN6):
        if name != "iperf3":
            assert call(lab, address)[address].startswith(greeting)
    if name == "iperf3":
        done = lab.server.run(["iperf3", "-B", CORPORATE, "-c", LAN, "-p", "8000", "-n", "1M"])
        assert "receiver" in done.stdout
