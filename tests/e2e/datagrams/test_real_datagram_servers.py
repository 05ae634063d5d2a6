# SPDX-License-Identifier: MIT
"""Real UDP servers under `listen: received-interface`, called at each address of the host (PX-5)."""

import subprocess
import sys

import pytest

from support.lab.three_uplinks import PUBLIC
from support.programs import unpacked
from support.servers.datagram_server import CALLED, answered_by
from support.servers.real_servers import (
    DNS_ADDRESS,
    DNS_NAME,
    DNS_RECORD,
    FILE_TEXT,
    chronyd_command,
    directory_of,
)

POLICY = """version: 1
paths:
  lte: { interface: lte0 }
profiles:
  both:
    listen: received-interface
    rules:
      - { to: any, via: lte }
"""
PORT = 5353

# A question that any server of the time answers; prints the address that did.
ASK_TIME = """
import socket, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
    sock.bind((sys.argv[1], 0))
    sock.settimeout(10)
    sock.sendto(bytes([0x23]) + bytes(47), (sys.argv[2], 123))
    print(sock.recvfrom(100)[1][0])
"""
# One datagram and its echo.
ECHO = """
import socket, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
    sock.bind((sys.argv[1], 0))
    sock.connect((sys.argv[2], int(sys.argv[3])))
    sock.settimeout(10)
    sock.send(b"echo")
    print(sock.recv(100).decode())
"""


def iperf3(_):
    """Each client gets the socket that it called, connected."""
    client = ["iperf3", "--udp", "--time", "1", "--bitrate", "200K", "--reverse", "--bind", PUBLIC]
    return ["iperf3", "--server"], 5201, False, lambda called: [*client, "--client", called], "iperf Done"


def socat(_):
    """The same, in a child."""
    server = ["socat", f"UDP4-LISTEN:{PORT},fork,reuseaddr", "PIPE"]
    ask = [sys.executable, "-I", "-c", ECHO, PUBLIC]
    return server, PORT, True, lambda called: [*ask, called, PORT], "echo"


def dnsmasq(_):
    """It names the called address itself."""
    own = ["--conf-file=/dev/null", "--pid-file=", "--no-resolv", "--no-hosts", "--user=root"]
    server = ["dnsmasq", "--no-daemon", *own, f"--port={PORT}", f"--host-record={DNS_RECORD}"]
    ask = ["dig", "-b", PUBLIC, "-p", str(PORT), "+short", "+tries=1", DNS_NAME]
    return server, PORT, True, lambda called: [*ask, f"@{called}"], DNS_ADDRESS


def dnsmasq_bound(_):
    """It has a socket for each address."""
    server, *rest = dnsmasq(_)
    return [*server, "--bind-interfaces"], *rest


def chronyd(lab):
    """It names the called address itself."""
    server = chronyd_command(lab, "server", "local stratum 5", "allow")
    ask = [sys.executable, "-I", "-c", ASK_TIME, PUBLIC]
    return server, 123, True, lambda called: [*ask, called], ""


def tftpd(lab):
    """It answers from another port, of a socket that it has bound to the called address."""
    directory = directory_of(lab, "tftp")
    (directory / "file").write_text(FILE_TEXT, encoding="utf-8")
    program = unpacked("tftpd-hpa", "usr/sbin/in.tftpd")
    server = [program, "--listen", "--foreground", "--user", "root", directory]
    ask = ["curl", "-sS", "--max-time", "10", "--interface", PUBLIC]
    return server, 69, True, lambda called: [*ask, f"tftp://{called}/{directory}/file"], FILE_TEXT


@pytest.mark.routes
@pytest.mark.parametrize("program", [iperf3, socat, dnsmasq, dnsmasq_bound, chronyd, tftpd])
def test_each_answer_leaves_by_the_interface_of_the_call(lab, program):
    server, port, datagrams, ask, said = program(lab)
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with lab.serving(POLICY) as broker:
        process = lab.px_popen(broker, server, "both", **quiet)
        lab.client.listens(port, datagrams=datagrams)
        for called, interface in zip(CALLED[PUBLIC], ("lan0", "lte0", "vpn0")):
            lab.flows.reset()
            assert said in lab.server.run(ask(called)).stdout
            assert answered_by(lab, PUBLIC) == {called: interface}
        process.terminate()
        process.wait(timeout=10)
